// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/outbox.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocol/json_encoding.hpp"

namespace xdp_count {
namespace {

constexpr std::size_t memory_limit = 4 << 20;
constexpr auto new_source = EventKind::new_source;

// An outbox, and what has been written out of it.
class Box {
 public:
  explicit Box(std::size_t bytes = memory_limit) : memory(bytes) {}

  KeptText kept(const std::string& text) { return {*memory.reserve(text.size()), text}; }
  void put_snapshot(const std::string& body) {
    outbox.put_snapshot(std::make_shared<const KeptText>(kept(body)));
  }

  // The next text whole; nothing where nothing waits.
  std::string write() {
    const auto parts = outbox.begin_writing();
    if (!parts) return {};
    std::string text;
    for (const std::string_view part : *parts) text += part;
    outbox.end_writing();
    return text;
  }

  ClientMemory memory;
  Outbox outbox{memory};
};

std::string snapshot(const std::string& body, std::uint64_t skipped) {
  return body + encode_snapshot_end(skipped);
}

TEST_CASE("an answer comes before a snapshot, that before events, and the last line last") {
  Box box;
  CHECK(box.outbox.empty());
  CHECK(box.write() == "");
  box.outbox.put_last_line("goodbye\n");
  box.outbox.put_event(new_source, "event", 0);
  box.put_snapshot("snapshot");
  box.outbox.put_answer(box.kept("answer\n"));
  CHECK(!box.outbox.empty());
  CHECK(box.write() == "answer\n");
  CHECK(box.write() == snapshot("snapshot", 0));
  CHECK(box.write() == "event" + encode_event_end(0));
  CHECK(!box.outbox.empty());
  CHECK(box.write() == "goodbye\n");
  CHECK(box.outbox.empty());
  CHECK(box.memory.used() == 0);
}

TEST_CASE("an answer is there until it has been written") {
  Box box;
  box.outbox.put_answer(box.kept("answer\n"));
  CHECK(box.outbox.has_answer());
  REQUIRE(box.outbox.begin_writing());
  CHECK(box.outbox.has_answer());
  CHECK(box.memory.used() == 7);
  box.outbox.end_writing();
  CHECK(!box.outbox.has_answer());
  CHECK(box.memory.used() == 0);
}

TEST_CASE("an answer that comes while something else is written waits for its turn") {
  Box box;
  box.put_snapshot("snapshot");
  REQUIRE(box.outbox.begin_writing());
  box.outbox.put_answer(box.kept("answer\n"));
  box.outbox.end_writing();
  CHECK(box.write() == "answer\n");
}

TEST_CASE("a newer snapshot takes the place of one that was not begun, and says so") {
  Box box;
  box.put_snapshot("first");
  box.put_snapshot("second");
  box.outbox.miss_snapshot();
  box.put_snapshot("third");
  CHECK(box.memory.used() == 5);
  CHECK(box.outbox.skipped() == 0);
  CHECK(box.write() == snapshot("third", 3));
  box.put_snapshot("fourth");
  CHECK(box.write() == snapshot("fourth", 0));
}

TEST_CASE("a snapshot that is being written is written whole") {
  Box box;
  box.put_snapshot("first");
  CHECK(!box.outbox.keeps_up());
  const auto parts = box.outbox.begin_writing();
  CHECK(!box.outbox.keeps_up());
  box.put_snapshot("second");
  box.outbox.drop_snapshot();
  CHECK(box.outbox.skipped() == 1);
  CHECK((*parts)[0] == "first");
  box.outbox.end_writing();
  CHECK(box.outbox.keeps_up());
  CHECK(box.write() == "");
}

TEST_CASE("another stream begins with no snapshot missed") {
  Box box;
  box.outbox.miss_snapshot();
  box.put_snapshot("old");
  box.outbox.miss_snapshot();
  box.outbox.forget_snapshots();
  CHECK(box.outbox.skipped() == 0);
  CHECK(box.write() == "");
  CHECK(box.memory.used() == 0);
}

TEST_CASE("events wait together, and their bytes are reserved") {
  Box box;
  box.outbox.put_event(new_source, "one", 0);
  box.outbox.put_event(new_source, "two", 0);
  CHECK(box.memory.used() >= 6 + 2 * encode_event_end(0).size());
  CHECK(box.write() == "one" + encode_event_end(0) + "two" + encode_event_end(0));
  CHECK(box.memory.used() == 0);
}

TEST_CASE("each event that is too many is lost, and the next one of its kind says so") {
  Box box;
  const std::string body(1000, 'x');
  const std::size_t room = max_events_waiting / (body.size() + encode_event_end(0).size());
  for (std::size_t i = 0; i < room + 5; ++i) box.outbox.put_event(new_source, body, 0);
  CHECK(box.memory.used() <= max_events_waiting);
  CHECK(box.write().size() == room * (body.size() + encode_event_end(0).size()));
  box.outbox.put_event(EventKind::sample, "sample", 0);
  box.outbox.put_event(new_source, "next", 0);
  box.outbox.put_event(new_source, "one more", 0);
  CHECK(box.write() == "sample" + encode_event_end(0) + "next" + encode_event_end(5) + "one more" +
                           encode_event_end(0));
}

TEST_CASE("an event for which there is no memory is lost") {
  Box box(1 << 12);
  const auto taken = box.memory.reserve(1 << 10);
  REQUIRE(taken);
  box.outbox.put_event(new_source, "one", 0);
  CHECK(box.write() == "");
  CHECK(box.outbox.unreported({})[0] == 1);
}

TEST_CASE("what the program lost is reported once, from when the subscription began") {
  Box box;
  box.outbox.forget_events({100, 0});
  box.outbox.put_event(new_source, "one", 103);
  box.outbox.put_event(new_source, "two", 103);
  CHECK(box.write() == "one" + encode_event_end(3) + "two" + encode_event_end(0));
  CHECK(box.outbox.unreported({110, 7}) == EventLosses{7, 7});
  box.outbox.forget_events({110, 7});
  CHECK(box.outbox.unreported({110, 7}) == EventLosses{0, 0});
}

TEST_CASE("what is cleared is not written, and takes no memory") {
  Box box;
  box.put_snapshot("snapshot");
  box.outbox.put_event(new_source, "event", 0);
  box.outbox.put_answer(box.kept("answer\n"));
  box.outbox.clear();
  CHECK(box.outbox.empty());
  CHECK(box.memory.used() == 0);
}

}  // namespace
}  // namespace xdp_count
