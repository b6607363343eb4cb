#include "weighbridge/problem.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "json_writer.hpp"

namespace weighbridge {

namespace {

struct Row {
  std::string_view name;
  Severity severity;
  // {name} stands for a param; a part in [brackets] is left out when one of its params is absent.
  std::string_view text;
};

constexpr auto kError = Severity::error;
constexpr auto kWarning = Severity::warning;
constexpr auto kNote = Severity::note;

constexpr std::array<Row, static_cast<std::size_t>(Code::kCount)> kTable{{
    {"not_json", kError, "The text is not JSON[: {detail}][ (at byte {position})]."},
    {"too_large", kError, "The text is too large[: it has {bytes} bytes][, and at most {limit} are read]."},
    {"too_deep", kError, "Arrays and objects lie too deep inside each other[; at most {limit} levels are read]."},
    {"broken_text", kError, "The text is not valid UTF-8[; the first broken byte is at {position}]."},
    {"duplicate_key", kError, "One object has the key[ \"{key}\"] twice; give it once."},
    {"not_finite", kError, "Only finite numbers have a meaning here[, not {value}]."},
    {"not_json_value", kError, "JSON cannot carry this value[: it is {found}]; give a number, text, true, false, null, array or object."},
    {"cycle", kError, "This object contains itself, which JSON cannot carry."},
    {"wrong_type", kError, "This has the wrong type[: expected {expected}][, found {found}]."},
    {"unknown_field", kError, "There is no field \"{name}\" here[; the nearest is \"{nearest}\"][; known here: {accepted}]."},
    {"missing_field", kError, "The field \"{name}\" is required."},
    {"out_of_range", kError, "{value} is out of range[; the least is {min}][; it must be above {above}][; the most is {max}][ (in {unit})]."},
    {"unknown_value", kError, "\"{value}\" is not known here[; the nearest is \"{nearest}\"][; accepted: {accepted}]."},
    {"unknown_model", kError, "The catalogue has no model \"{value}\"[; the nearest is \"{nearest}\"]. As the model to run, any other can be given by its config.json or by its figures."},
    {"unknown_device", kError, "The catalogue has no device \"{value}\"[; the nearest is \"{nearest}\"]. Any other device can be given by its figures."},
    {"unknown_weight_format", kError, "There is no weight format \"{value}\"[; the nearest is \"{nearest}\"]. Any other can be given by its bits_per_weight."},
    {"unknown_kv_format", kError, "There is no cache format \"{value}\"[; the nearest is \"{nearest}\"]."},
    {"unknown_engine", kError, "There is no engine \"{value}\"[; the nearest is \"{nearest}\"]."},
    {"does_not_divide", kError, "{count} {what} cannot be split evenly over {axis}[ = {value}][; use {accepted}]."},
    {"devices_mismatch", kError, "The layout does not match the number of devices[: tensor {tensor} x pipeline {pipeline} x data {data}][ x context {context}][ is {product}][, but there are {devices} devices]."},
    {"conflicting_fields", kError, "\"{a}\" and \"{b}\" exclude each other; give one of them."},
    {"missing_figure", kError, "The figure {figure}[ of {device}] is not known, and this cannot be computed without it; give the device by its figures."},
    {"not_available", kError, "This is not available yet[: {call}]."},
    {"unknown_lora_target", kError, "There is no module \"{value}\" to adapt[; in every family there are {common}][; the names in this model are {own}]; or \"all-linear\"."},
    {"framework_forbids", kError, "{framework} cannot combine {a} with {b}[; use {instead}]."},
    {"config_missing_key", kError, "The config has no {keys}[, which gives {why}]."},
    {"config_bad_value", kError, "In this config {key} is {value}[; accepted: {accepted}]."},
    {"config_contradiction", kError, "In this config {a} and {b} contradict each other[: {why}]."},
    {"unsupported_model", kError, "This architecture cannot be computed yet[: {model_type}][. What is missing: {missing}]."},
    {"unsupported_file", kError, "{name} cannot be read as a model[: {why}]."},
    {"different_models", kError, "{name} and the config are of different models: they disagree on {what}[, {file} in the file and {config} in the config]."},
    {"needs_more_bytes", kError, "The header of {name} is not whole yet[; give its first {bytes} bytes]."},
    {"internal_error", kError, "This is a defect of Weighbridge and not of the request[: {detail}]."},
    {"context_beyond_model", kWarning, "The context of {context} tokens is longer than the model was made for[ ({limit})][; {refuses} refuses to start with it unless it is told to allow it][; {runs} runs it, with answers that get worse][; {cuts} cuts it to the model's own]."},
    {"option_without_effect", kWarning, "The option \"{option}\" has no effect[ with {engine}][; it needs {needs}][; {model} has no experts][; {refuses} itself refuses what it does not know]."},
    {"unknown_engine_version", kWarning, "The version {version} is not known[; {taken} is taken]."},
    {"engine_as_ideal", kWarning, "There is no profile of {engine} yet; it is computed as an ideal engine, which wastes nothing."},
    {"concurrency_beyond_capacity", kWarning, "{concurrency} sequences do not fit at once[; {capacity} do], and the rest wait."},
    {"rate_beyond_capacity", kWarning, "{rate} requests per second are more than this deployment keeps up with[: {most}]; they would wait ever longer."},
    {"weights_do_not_fit", kWarning, "The weights alone do not fit; speed is given as if they did."},
    {"unknown_architecture", kWarning, "The architecture[ \"{model_type}\"] is not known and was read by its generic keys; check the parameter count."},
    {"config_key_ignored", kWarning, "{key} in this config is not taken into account[: {why}]."},
    {"format_without_hardware", kWarning, "[{device} has no units for ][{format}: ]the matrix products run in another precision[ ({instead})]."},
    {"speed_figure_missing", kWarning, "Speed is left out, since {figure}[ of {device}] is not known; it can be given with the device by its figures."},
    {"mixed_devices", kWarning, "Different devices are computed as equal ones[: {devices}], each with the smallest figures among them."},
    {"files_disagree", kWarning, "{name} and the config disagree on {what}[: {file} in the file, {config} in the config]; bytes are taken from the file, shapes from the config."},
    {"model_taken_for", kWarning, "The catalogue has no \"{value}\"; it is computed as \"{model}\", which has the same name but for owner, variant or format[, with weights in {format}][; {container} files hold any format, so name it in weights]."},
    {"engine_refuses", kWarning, "{engine} itself would not start with this[: it does not read weights in {format}][: it does not run on {device}][: a cache of values in {v_format} needs flash attention][: a block of its cache holds {accepted} tokens, not {block}][: a pass must hold at least as many tokens ({tokens}) as sequences ({sequences})][: its {kv_heads} key-value heads are neither split nor copied evenly over {tensor} devices][: the draft model has another vocabulary ({draft} entries, not {own})][: {layers} layers are not dealt evenly over {chunks} pipeline chunks, unless it is told how][: interleaved chunks need micro-batches in multiples of the {stages} stages, and there are {batches}]. The answer is given as if it did."},
    {"experts_drop_tokens", kWarning, "Experts take at most {factor} times their even share of tokens and drop the rest[: at least {least} % of what is routed to them]; model FLOPs count what they keep."},
    {"article_part_unknown", kNote, "{part} is taken as 0 in the article's method[, since {missing} is not given]."},
    {"assumed_shape", kNote, "Only the number of parameters[ ({parameters})] is given; the shape is assumed[ from {like}]."},
    {"kv_heads_replicated", kNote, "There are fewer key-value heads[ ({kv_heads})] than devices that share a layer[ ({tensor})], so that some hold copies."},
    {"assumed_from_tensors", kNote, "The files alone do not say all; taken for granted: {what}. With the model's config.json beside them nothing is."},
    {"file_not_needed", kNote, "{name} says nothing of memory or speed and is left out."},
}};

const Row& row(Code code) {
  const auto i = static_cast<std::size_t>(code);
  return kTable[i < kTable.size() ? i : static_cast<std::size_t>(Code::internal_error)];
}

// Cuts foreign text, between two characters, so that an answer never carries a megabyte of its own request back.
constexpr std::size_t kLongestParam = 200;
std::string shortened(std::string_view text) {
  if (text.size() <= kLongestParam) return std::string(text);
  auto end = kLongestParam;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "…";
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return number_text(value);
}

std::string joined(const std::vector<std::string>& list, std::string_view last) {
  std::string out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += i + 1 == list.size() ? std::string(" ").append(last).append(" ") : ", ";
    out += shortened(list[i]);
  }
  return out;
}

// "?" when the param is absent; empty when it says nothing.
std::string written(std::string_view name, const Params& params) {
  for (const auto& [key, param] : params) {
    if (key != name) continue;
    if (const auto* value = std::get_if<double>(&param)) return number(*value);
    if (const auto* text = std::get_if<std::string>(&param)) return shortened(*text);
    const bool alternatives = name == "accepted" || name == "keys" || name == "expected";
    return joined(std::get<std::vector<std::string>>(param), alternatives ? "or" : "and");
  }
  return "?";
}

// Puts the params into text; returns whether all were there.
bool fill(std::string_view text, const Params& params, std::string& out) {
  bool complete = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') {
      const auto end = text.find('}', i);
      const auto value = written(text.substr(i + 1, end - i - 1), params);
      complete = complete && !value.empty() && value != "?";
      out += value;
      i = end;
    } else if (text[i] == '[') {
      const auto end = text.find(']', i);
      std::string part;
      if (fill(text.substr(i + 1, end - i - 1), params, part)) out += part;
      i = end;
    } else {
      out += text[i];
    }
  }
  return complete;
}

bool is_separator(char c) { return c == '-' || c == '_' || c == '.' || c == '/' || c == ' '; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string plain(std::string_view word) {
  std::string out;
  for (const char c : word)
    if (!is_separator(c)) out += lower(c);
  return out;
}

constexpr int kEdit = 10;                 // a letter or digit put in, taken out, exchanged or swapped with its neighbour
constexpr int kHardlyAnEdit = 1;          // the same with case or a separator
constexpr std::size_t kLongestWord = 100;

int insertion(char c) { return is_separator(c) ? kHardlyAnEdit : kEdit; }
int exchange(char a, char b) {
  if (a == b) return 0;
  if (lower(a) == lower(b) || (is_separator(a) && is_separator(b))) return kHardlyAnEdit;
  return is_separator(a) || is_separator(b) ? kEdit + kHardlyAnEdit : kEdit;
}

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 1; j <= b.size(); ++j) last[j] = last[j - 1] + insertion(b[j - 1]);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = last[0] + insertion(a[i - 1]);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + insertion(a[i - 1]), now[j - 1] + insertion(b[j - 1]), last[j - 1] + exchange(a[i - 1], b[j - 1])});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
        now[j] = std::min(now[j], before[j - 2] + kEdit);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

}  // namespace

std::string_view code_name(Code code) { return row(code).name; }
Severity severity(Code code) { return row(code).severity; }
std::string_view summary(Code code) { return row(code).text; }

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::note: return "note";
  }
  return "error";
}

std::string message(const Problem& problem) {
  std::string out;
  fill(summary(problem.code), problem.params, out);
  // A sentence that lost its optional beginning starts with a capital all the same.
  auto rest = summary(problem.code);
  if (rest[0] != '[') return out;
  while (rest[0] == '[') rest.remove_prefix(rest.find(']') + 1);
  constexpr std::size_t kFirstWord = 4;
  if (out.compare(0, kFirstWord, rest.substr(0, kFirstWord)) == 0) out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

// A hostile request can hold a hundred thousand unknown fields; nobody reads that many answers.
constexpr std::size_t kMostProblems = 500;

void Problems::add(Code code, std::string_view path, std::initializer_list<Named> params) {
  Problem problem{code, std::string(path), {}};
  for (const auto& p : params) {
    const bool says_nothing = p.is_number ? !std::isfinite(p.number) : !p.list && p.text.empty();
    if (says_nothing && p.name != "value") continue;
    if (p.is_number) problem.params.emplace_back(p.name, p.number);
    else if (p.list) problem.params.emplace_back(p.name, *p.list);
    else problem.params.emplace_back(p.name, shortened(p.text));
  }
  add(problem);
}

void Problems::add(const Problem& problem) {
  if (severity(problem.code) == Severity::error) ++errors_;
  if (list_.size() < kMostProblems) list_.push_back(problem);
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const auto sought = plain(word);
  if (sought.empty() || word.size() > kLongestWord) return {};
  // One letter in three may be wrong, and at least one.
  const int tolerance = kEdit * std::max(1, static_cast<int>((sought.size() + 1) / 3)) + kEdit / 2;
  const std::string* best = nullptr;
  int least = 0;
  const auto consider = [&](const std::string& candidate, int distance) {
    if (best && distance >= least) return;
    best = &candidate;
    least = distance;
  };
  for (const auto& candidate : candidates) {
    if (candidate.size() > 2 * kLongestWord) continue;
    const auto whole = edit_distance(word, candidate);
    if (whole <= tolerance) consider(candidate, whole);
    // A name without its owner: "llama 3.1 8b" is near "meta-llama/Llama-3.1-8B".
    const auto slash = candidate.rfind('/');
    if (slash != std::string::npos) {
      const auto tail = edit_distance(word, std::string_view(candidate).substr(slash + 1));
      if (tail <= tolerance) consider(candidate, tail + kHardlyAnEdit);
    }
    // A part of a name: "h100" is near "h100-sxm-80gb".
    const auto spelled = plain(candidate);
    if (sought.size() >= 3 && spelled.find(sought) != std::string::npos)
      consider(candidate, kEdit + static_cast<int>(spelled.size() - sought.size()));
  }
  return best ? *best : std::string{};
}

std::string pointer(std::string_view base, std::string_view token) {
  std::string out(base);
  out += '/';
  for (const char c : token) {
    if (c == '~') out += "~0";
    else if (c == '/') out += "~1";
    else out += c;
  }
  return out;
}

}  // namespace weighbridge
