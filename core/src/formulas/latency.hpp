// From the time of passes to what a reader feels: TTFT, TPOT, latency, throughput, queue.
//
// In a closed loop each of the other sequences of a replica starts once while one answer is written, so every answer
// waits for their prompts: conservation of work, with Little's law (L = lambda W) giving the throughput. A stage of a pipeline does
// its own layers' part of each prompt, so that prompts hold it up for that part of their time only.
#pragma once

#include "weighbridge/estimate.hpp"
#include "weighbridge/trace.hpp"

namespace weighbridge::formulas {

struct LoadTerms {
  double concurrency = 1, in_replica = 1, pipeline = 1;
  Seconds floor;                       // of the server, for each request
  double together = 1;                 // prompts that a pass reads together
  Seconds reading;                     // of that pass
  double pools = 0;                    // replicas that read prompts beside those that answer; 0: the same devices do both
  double accepted = 1;                 // tokens that a step writes for each sequence
  FormulaId step = FormulaId::pass_seconds;            // of the step
  double running = 0;                  // part of a step of the others that a request waits for
};

// Fills in ttft, tpot, latency and throughput from s.prefill.seconds and s.decode.seconds.
template <class T>
void under_load(Speed& s, const LoadTerms& load, const Workload& w, T& trace) {
  const double in_replica = load.in_replica, pipeline = load.pipeline, concurrency = load.concurrency;
  const double output = w.output_tokens.value;
  const Input reading("reading", load.reading, FormulaId::pass_seconds, load.together > 1 ? "prompts" : "prefill");
  if (w.mode == Mode::static_batch) {
    s.ttft = trace.step(FormulaId::static_ttft, load.reading / load.together * (1 + (in_replica - 1) / pipeline),
                        {{"sequences", in_replica, w.concurrency.from}, {"pipeline", pipeline, From::user}, reading, {"together", load.together, From::user}});
    s.tpot = trace.step(FormulaId::tpot, s.decode.seconds / load.accepted,
                        {{"step", s.decode.seconds, load.step, "decode"}, {"accepted", load.accepted, From::user}, {"others", 0.0, From::user},
                         reading, {"together", load.together, From::user}, {"pipeline", pipeline, From::user}, {"output_tokens", w.output_tokens}});
  } else if (load.pools > 0) {
    s.tpot = trace.step(FormulaId::tpot, s.decode.seconds / load.accepted,
                        {{"step", s.decode.seconds, load.step, "decode"}, {"accepted", load.accepted, From::user}, {"others", 0.0, From::user},
                         {"reading", s.prefill.seconds, From::model}, {"together", 1.0, From::user}, {"pipeline", pipeline, From::user}, {"output_tokens", w.output_tokens}});
    const Seconds own = s.prefill.seconds + load.floor, saturated = concurrency * s.prefill.seconds / load.pools - (output - 1) * s.tpot;
    s.ttft = trace.step(FormulaId::pooled_ttft, own < saturated ? saturated : own,
                        {{"prefill", s.prefill.seconds, From::model}, {"server", load.floor, From::catalog}, {"concurrency", concurrency, w.concurrency.from},
                         {"pools", load.pools, From::user}, {"tpot", s.tpot, FormulaId::tpot}, {"output_tokens", w.output_tokens}});
  } else {
    const double others = in_replica - 1;
    // Of the others' prompts, as many as come for each token that is written.
    const Seconds between = others * load.reading / (load.together * pipeline * output);
    s.ttft = trace.step(FormulaId::ttft, load.reading + load.running * s.decode.seconds + load.floor + between,
                        {reading, {"running", load.running, From::catalog}, {"step", s.decode.seconds, load.step, "decode"}, {"server", load.floor, From::catalog},
                         {"others", others, w.concurrency.from}, {"together", load.together, From::catalog}, {"pipeline", pipeline, From::user}, {"output_tokens", w.output_tokens}});
    s.tpot = trace.step(FormulaId::tpot, s.decode.seconds / load.accepted + between,
                        {{"step", s.decode.seconds, load.step, "decode"}, {"accepted", load.accepted, From::user}, {"others", others, w.concurrency.from},
                         reading, {"together", load.together, From::catalog}, {"pipeline", pipeline, From::user}, {"output_tokens", w.output_tokens}});
  }
  const FormulaId ttft = load.pools > 0 && w.mode != Mode::static_batch ? FormulaId::pooled_ttft : w.mode == Mode::static_batch ? FormulaId::static_ttft : FormulaId::ttft;
  s.latency = trace.step(FormulaId::latency, s.ttft + (output - 1) * s.tpot,
                         {{"ttft", s.ttft, ttft}, {"tpot", s.tpot, FormulaId::tpot}, {"output_tokens", w.output_tokens}});
  s.output_tokens_per_s = trace.step(FormulaId::output_tokens_per_s, Tokens{concurrency * output} / s.latency,
                                     {{"concurrency", concurrency, w.concurrency.from}, {"output_tokens", w.output_tokens},
                                      {"latency", s.latency, FormulaId::latency}});
  s.tokens_per_s_per_user = trace.step(FormulaId::tokens_per_s_per_user, Tokens{1} / s.tpot, {{"tpot", s.tpot, FormulaId::tpot}});
}

// How long a request waits when more are in flight than fit: the deployment serves `running` at a time.
template <class T>
Seconds queue(const Speed& s, double concurrency, double running, const Workload& w, T& trace) {
  return trace.step(FormulaId::queue, (concurrency / running - 1) * s.latency,
                    {{"concurrency", concurrency, w.concurrency.from}, {"running", running, FormulaId::max_concurrency},
                     {"latency", s.latency, FormulaId::latency}});
}

// An open loop: requests come by chance (Poisson), `arrivals` of them in a second at each place that reads prompts.
template <class T>
Seconds open_queue(Seconds prefill, double arrivals, FormulaId prefill_id, const Workload& w, T& trace) {
  const double busy = arrivals * prefill.value;
  if (busy >= 1) return {};
  return trace.step(FormulaId::open_queue, busy * prefill / (2 * (1 - busy)),
                    {{"arrivals", arrivals, w.concurrency.from}, {"prefill", prefill, prefill_id, "prefill"}});
}

}  // namespace weighbridge::formulas
