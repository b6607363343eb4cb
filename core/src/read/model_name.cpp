#include "read/model_name.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace weighbridge {

namespace {

// How publishers end the names of quantised copies, and what the format is called here. Longer endings stand first.
constexpr std::pair<std::string_view, std::string_view> kFormats[] = {
    {"bnb 4bit", "nf4"},     {"bnb 8bit", "bnb-int8"}, {"bnb int8", "bnb-int8"}, {"gptq int4", "gptq-int4"}, {"gptq int8", "int8"},
    {"gptq 4bit", "gptq-int4"}, {"gptq 8bit", "int8"}, {"awq int4", "awq-int4"}, {"awq 4bit", "awq-int4"},  {"int4 awq", "awq-int4"},
    {"int4 gptq", "gptq-int4"}, {"mlx 4bit", "mlx-4bit"}, {"mlx 8bit", "mlx-8bit"}, {"nvfp4", "nvfp4"},     {"fp4", "nvfp4"},
    {"mxfp4", "mxfp4"},      {"fp8", "fp8"},           {"awq", "awq-int4"},      {"gptq", "gptq-int4"},     {"nf4", "nf4"},
    {"w4a16", "int4"},       {"w8a16", "int8"},        {"w8a8", "w8a8-int8"},    {"int4", "int4"},          {"int8", "int8"},
    {"4bit", "int4"},        {"8bit", "int8"},         {"bf16", "bf16"},         {"fp16", "fp16"},          {"f16", "fp16"},
    {"fp32", "fp32"},
};
// Words beside a format that say how the file was made.
constexpr std::array<std::string_view, 16> kPacking{"gguf", "mlx", "unsloth", "bnb", "imat", "imatrix", "i1", "ud", "qat", "dynamic", "static", "block", "quantized", "quant", "g128", "pertensor"};
// Variants of one model, which differ in what they were taught and not in shape.
constexpr std::array<std::string_view, 17> kVariants{"instruct", "chat", "it", "base", "pt", "thinking", "think", "reasoning", "preview", "inst", "hf", "sft", "dpo", "latest", "text", "meta", "original"};

using Words = std::vector<std::string>;

// "unsloth/Qwen3-8B-GGUF:Q4_K_M" -> qwen3 8b gguf q4 k m
Words words_of(std::string_view name) {
  name = name.substr(name.rfind('/') + 1);           // npos + 1 is 0
  Words out(1);
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool dot = c == '.' && i > 0 && i + 1 < name.size() && letter(name[i - 1]) && letter(name[i + 1]);
    if (dot || c == '-' || c == '_' || c == ':' || c == ' ' || c == '@') {
      if (!out.back().empty()) out.emplace_back();
    } else {
      out.back() += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

std::string joined(const Words& words, std::string_view between = {}) {
  std::string out;
  for (const auto& word : words) (out += out.empty() ? std::string_view() : between) += word;
  return out;
}

template <class List>
bool among(const List& list, std::string_view word) { return std::find(list.begin(), list.end(), word) != list.end(); }

// "2507": a month of a release.
bool is_date(std::string_view word) {
  if (word.size() != 4 || word.find_first_not_of("0123456789") != std::string_view::npos) return false;
  const auto month = (word[2] - '0') * 10 + (word[3] - '0');
  return word[0] == '2' && word[1] >= '3' && month >= 1 && month <= 12;
}

bool is_variant(std::string_view word) { return among(kVariants, word) || is_date(word); }

struct Parts {
  Words name;                                        // without the words below
  Words variants;
  std::string_view format;                           // as the catalogue calls it
  std::string_view container;
};

// The longest type of GGUF files at the end of `words`; how many of them it takes.
std::pair<const WeightFormat*, std::size_t> file_type(const Words& words, const Formats& formats) {
  for (std::size_t n = std::min<std::size_t>(3, words.size()); n > 0; --n) {
    const auto* format = formats.find_weight(joined({words.end() - static_cast<std::ptrdiff_t>(n), words.end()}, "_"));
    if (format && format->rule == FormatRule::gguf) return {format, n};
  }
  return {nullptr, 0};
}

Parts parts_of(std::string_view full, const Formats& formats) {
  Parts out;
  auto words = words_of(full);
  for (bool found = true; found && words.size() > 1;) {
    found = false;
    if (const auto [format, n] = file_type(words, formats); format && n < words.size()) {
      if (out.format.empty()) out.format = format->id;
      words.resize(words.size() - n);
      found = true;
      continue;
    }
    // Mixtures of a publisher's own ("UD-Q4_K_XL") are none of the types whose bytes are known.
    if (words.size() > 3 && words.back() == "xl" && words.end()[-2] == "k" && words.end()[-3].front() == 'q') {
      words.resize(words.size() - 3);
      out.container = "GGUF";
      found = true;
      continue;
    }
    for (const auto& [ending, format] : kFormats) {
      const auto n = static_cast<std::size_t>(std::count(ending.begin(), ending.end(), ' ')) + 1;
      if (n >= words.size() || joined({words.end() - static_cast<std::ptrdiff_t>(n), words.end()}, " ") != ending) continue;
      if (out.format.empty()) out.format = format;
      words.resize(words.size() - n);
      found = true;
      break;
    }
    if (!found && among(kPacking, words.back())) {
      if (words.back() == "gguf") out.container = "GGUF";
      if (words.back() == "mlx") out.container = "MLX";
      words.pop_back();
      found = true;
    }
  }
  if (full.substr(0, full.find('/')) == "mlx-community") out.container = "MLX";
  if (out.container == "MLX" && out.format == "int4") out.format = "mlx-4bit";
  if (out.container == "MLX" && out.format == "int8") out.format = "mlx-8bit";
  for (auto& word : words) (is_variant(word) && words.size() > 1 ? out.variants : out.name).push_back(std::move(word));
  std::sort(out.variants.begin(), out.variants.end());
  return out;
}

NamedModel search(const Catalog& catalog, std::string_view name) {
  constexpr std::size_t kLongestName = 200;
  if (name.size() > kLongestName) return {};
  const auto& formats = catalog.formats();
  const auto wanted = parts_of(name, formats);
  const auto whole = joined(words_of(name)), wanted_name = joined(wanted.name);
  if (wanted_name.empty()) return {};
  NamedModel best;
  std::size_t most = 0;
  const auto owner_of = [](std::string_view full) { return full.substr(0, full.find('/') == std::string_view::npos ? 0 : full.find('/')); };
  const auto owner = owner_of(name);
  for (const auto& model : catalog.models()) {
    // A copy has another owner; one that is nearly the model's own is a typing error.
    const std::string own(owner_of(model.id));
    const bool misspelt = !owner.empty() && joined(words_of(owner)) != joined(words_of(own)) && !nearest(owner, {own}).empty();
    if (misspelt) continue;
    const auto consider = [&](std::string_view known) {
      if (joined(words_of(known)) == whole) {        // the same name of another owner
        if (most == SIZE_MAX) return;
        most = SIZE_MAX;
        best = {&model, nullptr, {}};
        return;
      }
      const auto parts = parts_of(known, formats);
      // What is stored otherwise is known by its shape, but only a name that speaks of a format says how it is stored.
      const bool wide = parts.format == "bf16" || parts.format == "fp16" || parts.format == "fp32" || parts.format.empty();
      if (joined(parts.name) != wanted_name || (!wide && wanted.format.empty())) return;
      Words both;
      std::set_intersection(parts.variants.begin(), parts.variants.end(), wanted.variants.begin(), wanted.variants.end(), std::back_inserter(both));
      // A row of that format, then one that is not quantised; of these one with the same variants, then one without others.
      const bool same = !wanted.format.empty() && parts.format == wanted.format;
      const std::size_t score = 1 + (same ? 2000 : wide ? 1000 : 0) + 20 * both.size() + (10 - std::min<std::size_t>(10, parts.variants.size()));
      if (score <= most) return;
      most = score;
      best = {&model, !same && !wanted.format.empty() ? formats.find_weight(wanted.format) : nullptr,
              wanted.format.empty() ? wanted.container : std::string_view()};
    };
    consider(model.id);
    consider(model.name);
    for (const auto& alias : model.aliases) consider(alias);
  }
  return best;
}

}  // namespace

NamedModel recognise(const Catalog& catalog, std::string_view name) {
  // Sweeps and plans ask for one name thousands of times, and to look through all others takes milliseconds.
  struct Last {
    const Catalog* catalog = nullptr;
    std::string name;
    NamedModel found;
  };
  static thread_local Last last;
  if (last.catalog != &catalog || last.name != name) last = {&catalog, std::string(name.substr(0, 256)), search(catalog, name)};
  return last.found;
}

}  // namespace weighbridge
