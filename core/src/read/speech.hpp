// Towers for sound: encoders that make inputs of it, and what Qwen's omni models speak with.
#pragma once

#include <string_view>

#include "read/config_reader.hpp"
#include "read/tower_builder.hpp"

namespace weighbridge {

using ReadTower = void (*)(ConfigReader& whole, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t);

// nullptr when no reader knows the encoder of this model_type.
ReadTower find_audio(std::string_view model_type);

// Adds what stands beside a thinker in `top`: the talker, which turns its states into codes, and what turns codes into a wave.
void read_voice(ConfigReader& top, ModelSpec& spec);

}  // namespace weighbridge
