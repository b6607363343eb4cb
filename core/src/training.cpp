#include "weighbridge/training.hpp"

#include "trainer.hpp"

namespace weighbridge {

std::string_view moment_name(Moment moment) {
  switch (moment) {
    case Moment::forward: return "forward";
    case Moment::loss: return "loss";
    case Moment::backward: return "backward";
    case Moment::backward_end: return "backward_end";
    case Moment::optimizer_step: case Moment::kCount: break;
  }
  return "optimizer_step";
}

Training training(const TrainRequest& request, const Catalog& catalog) {
  NoTrace trace;
  return Trainer<NoTrace>(request, catalog, trace).run();
}

Training training(const TrainRequest& request, const Catalog& catalog, Trace& trace) { return Trainer<Trace>(request, catalog, trace).run(); }

}  // namespace weighbridge
