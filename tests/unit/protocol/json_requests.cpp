// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What is read of a client's lines is tested through the request handler.
#include "protocol/json_requests.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <variant>

#include "json_line.hpp"

namespace xdp_count {
namespace {

Request read_back(const Request& request) {
  std::string line = encode_request(request);
  message_of(line);
  line.pop_back();
  const auto decoded = decode_request(line);
  REQUIRE(std::holds_alternative<Request>(decoded));
  CHECK(std::get<Request>(decoded).id == request.id);
  REQUIRE(std::get<Request>(decoded).command.index() == request.command.index());
  return std::get<Request>(decoded);
}

TEST_CASE("a request that a client writes is read as it was meant") {
  read_back({"", UnsubscribeRequest{}});
  read_back({R"("id")", StatusRequest{}});
  const GetRequest get{
      {0xc0000201, 0, 0xffffffff, Address(0x20010db800000000, 1), 0, {0x0a000000, 8}}};
  CHECK(std::get<GetRequest>(read_back({"7", get}).command).addresses == get.addresses);
  CHECK(std::get<GetRequest>(read_back({"", GetRequest{}}).command).addresses.empty());
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  for (const ListRequest& list :
       {ListRequest{}, ListRequest{Prefix{0x0a000000, 8}, {}, 1, 0},
        ListRequest{{}, Family::ipv6, most, 1000}, ListRequest{.group = {{24, {}}}},
        ListRequest{.min_pps = most, .min_bps = 7}, ListRequest{.group = {{0, 128}}},
        ListRequest{.active_since = 0}, ListRequest{.min_packets = 3, .active_since = most}}) {
    const auto read = std::get<ListRequest>(read_back({"7", list}).command);
    CHECK((read == list));
  }
  for (const Grouping& group : {Grouping{{std::nullopt, 48}}, Grouping{{32, 0}}}) {
    const auto read = std::get<TopRequest>(read_back({"", TopRequest{{}, group}}).command);
    CHECK((read.group == group));
  }
  for (const SortKey by : {SortKey::pps, SortKey::bps, SortKey::packets, SortKey::bytes})
    for (const Selection& selection :
         {Selection{0, by, {}}, Selection{10'000, by, Prefix{0xc0000200, 24}},
          Selection{1, by, Prefix{{0x20010db800000000, 0}, 32}, Family::ipv6},
          Selection{1, by, {}, Family::ipv4, 60}}) {
      const auto top = std::get<TopRequest>(read_back({"null", TopRequest{selection}}).command);
      CHECK((top.selection == selection));
      CHECK_FALSE(top.group.has_value());
      for (const Subscription& subscription :
           {Subscription{selection, 1}, Subscription{selection, max_every},
            Subscription{selection, 0, {true, false}}, Subscription{selection, 0, {false, true}},
            Subscription{selection, 1, {true, true}}})
        CHECK((std::get<SubscribeRequest>(read_back({"", SubscribeRequest{subscription}}).command)
                   .subscription == subscription));
    }
}

}  // namespace
}  // namespace xdp_count
