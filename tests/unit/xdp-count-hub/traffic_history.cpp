// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "traffic_history.hpp"

#include <doctest/doctest.h>

using namespace xdp_count;

namespace {

// `ms` after counting began, with so many packets of 100 bytes in each class but the first.
SnapshotHead head_at(std::int64_t ms, std::uint64_t packets, std::int64_t since = 1'000'000) {
  SnapshotHead head{.time = since + ms, .since = since};
  for (std::size_t i = 1; i < frame_classes; ++i)
    head.classes[i].counts = {i * packets, i * packets * 100};
  return head;
}

}  // namespace

TEST_CASE("a history has what was counted between its points, none of it twice") {
  TrafficHistory history;
  history.add(head_at(0, 0));
  CHECK(history.points().empty());  // from when its packets are is not known
  history.add(head_at(1000, 10));
  history.add(head_at(1500, 20));  // too soon: it is in the next one
  history.add(head_at(3000, 50));
  REQUIRE(history.points().size() == 2);
  CHECK(history.points()[0].time == 1'001'000);
  CHECK(history.points()[0].rates[0].pps == 0);
  CHECK(history.points()[0].rates[2].pps == 20);
  CHECK(history.points()[0].rates[2].bps == 16'000);
  CHECK(history.points()[1].rates[1].pps == 20);
}

TEST_CASE("a history begins anew with other counts, and when the clock was set back") {
  TrafficHistory history;
  history.add(head_at(0, 0));
  history.add(head_at(1000, 1000));
  history.add(head_at(0, 5, 2'000'000));
  CHECK(history.points().empty());
  history.add(head_at(1000, 10, 2'000'000));
  CHECK(history.points().size() == 1);
  CHECK(history.points()[0].rates[1].pps == 5);
  history.add(head_at(500, 20, 2'000'000));
  CHECK(history.points().empty());
}

TEST_CASE("a history of any length has ten minutes") {
  TrafficHistory history;
  for (std::int64_t second = 0; second < 5000; ++second)
    history.add(head_at(second * 1000, static_cast<std::uint64_t>(second)));
  CHECK(history.points().size() == 601);
  CHECK(history.points().front().time == history.points().back().time - TrafficHistory::span);
}
