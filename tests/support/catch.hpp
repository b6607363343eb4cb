// Catch2 2.13 (one header) or 3 (many), as installed.
#pragma once

#define CATCH_CONFIG_ENABLE_PAIR_STRINGMAKER      // failed checks show pairs

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
