// One calculation, two tracers: NoTrace compiles to bare arithmetic, Trace keeps every step with its named inputs.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/formula.hpp"
#include "weighbridge/units.hpp"

namespace weighbridge {

// Where an input is from. `format` is a stored format's own figure, `step` the value of an earlier step.
enum class From : std::uint8_t { user, catalog, standard, assumed, model, device, format, step };
std::string_view from_name(From from);           // From::standard is "default"

template <class T>
struct Given {                                   // a value and who gave it
  T value{};
  From from = From::standard;
};

struct Input {
  std::string_view name;
  double value = 0;
  From from = From::user;
  FormulaId step = FormulaId::kCount;
  std::string_view of = {};                      // which instance of that step
  const std::vector<double>* vector = nullptr;

  constexpr Input(std::string_view n, double v, From f) : name(n), value(v), from(f) {}
  template <int B, int F, int S, int T, int J, int D>
  constexpr Input(std::string_view n, Quantity<B, F, S, T, J, D> q, From f) : name(n), value(q.value), from(f) {}
  template <class V>
  constexpr Input(std::string_view n, const Given<V>& g) : name(n), value(static_cast<double>(g.value)), from(g.from) {}
  constexpr Input(std::string_view n, double v, FormulaId id, std::string_view instance = {})
      : name(n), value(v), from(From::step), step(id), of(instance) {}
  template <int B, int F, int S, int T, int J, int D>
  constexpr Input(std::string_view n, Quantity<B, F, S, T, J, D> q, FormulaId id, std::string_view instance = {})
      : name(n), value(q.value), from(From::step), step(id), of(instance) {}
  Input(std::string_view n, const std::vector<double>& v, From f) : name(n), from(f), vector(&v) {}
};

struct NoTrace {
  static constexpr bool on = false;
  template <class Q>
  constexpr Q step(FormulaId, Q value, std::initializer_list<Input>, std::string_view = {}) { return value; }
};

class Trace {
 public:
  static constexpr bool on = true;

  struct StepInput {
    std::string_view name;                       // a string literal
    double value;
    From from;
    FormulaId step;
    std::string of;
    bool is_vector;
    std::vector<double> vector;
  };
  // One that keeps nothing makes a number without its work from the same code.
  explicit Trace(bool keeps = true) : keeps_(keeps) {
    if (keeps) steps_.reserve(128);
  }

  struct Step {
    FormulaId id;
    std::string of;
    double value;
    std::vector<StepInput> inputs;
    std::vector<std::string> rows;               // names of the vectors' elements
  };

  double step(FormulaId id, double value, std::initializer_list<Input> inputs, std::string_view of = {}) {
    if (keeps_) record(id, value, inputs, of);
    return value;
  }
  template <int B, int F, int S, int T, int J, int D>
  Quantity<B, F, S, T, J, D> step(FormulaId id, Quantity<B, F, S, T, J, D> q, std::initializer_list<Input> inputs,
                                  std::string_view of = {}) {
    if (keeps_) record(id, q.value, inputs, of);
    return q;
  }
  void name_rows(std::vector<std::string> rows) {                // of the step just recorded
    if (keeps_) steps_.back().rows = std::move(rows);
  }
  const std::vector<Step>& steps() const { return steps_; }

 private:
  void record(FormulaId id, double value, std::initializer_list<Input> inputs, std::string_view of);
  std::vector<Step> steps_;
  bool keeps_;
};

}  // namespace weighbridge
