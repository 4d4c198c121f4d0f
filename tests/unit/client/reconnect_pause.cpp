// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "client/reconnect_pause.hpp"

#include <doctest/doctest.h>

namespace xdp_count {
namespace {

TEST_CASE("pauses double up to a bound, and begin anew after an answer") {
  ReconnectPause pause;
  for (const int ms : {250, 500, 1000, 2000, 4000, 4000, 4000}) CHECK(pause.next().count() == ms);
  pause.reset();
  for (const int ms : {250, 500}) CHECK(pause.next().count() == ms);
}

}  // namespace
}  // namespace xdp_count
