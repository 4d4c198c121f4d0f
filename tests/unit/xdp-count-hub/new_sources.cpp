// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "new_sources.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

using namespace xdp_count;
using nlohmann::json;

namespace {

const NewSources::Clock::time_point news_start{};
const std::string news_agent = "eth0.sock";

EventMessage reported_source(int number) {
  return {.time = number * 1000, .frame = {.source = "192.0.2." + std::to_string(number)}};
}

json data_of(const NewSources::Text& text) {
  REQUIRE(text);
  return json::parse(text->substr(text->find("data: ") + 6));
}

}  // namespace

TEST_CASE("new sources are asked for once while somebody looks, and no longer than that") {
  NewSources sources;
  CHECK_FALSE(sources.next(news_start, 0));
  CHECK(sources.look(news_agent, news_start) == nullptr);
  CHECK(sources.next(news_start, 0) == true);
  for (int seconds = 0; seconds < 20; ++seconds) {
    const auto now = news_start + std::chrono::seconds(seconds);
    for (int reader = 0; reader < 50; ++reader) CHECK(sources.look(news_agent, now) != nullptr);
    CHECK_FALSE(sources.next(now, 0));
  }
  const auto end = news_start + std::chrono::seconds(19) + NewSources::kept;
  CHECK_FALSE(sources.next(end, 0));
  CHECK(sources.next(end + std::chrono::milliseconds(1), 0) == false);
  CHECK_FALSE(sources.next(end + std::chrono::hours(1), 0));
}

TEST_CASE("the newest are kept and all are counted, as what was lost is") {
  NewSources sources;
  sources.look(news_agent, news_start);
  sources.next(news_start, 1234);
  constexpr int many = 100'000;
  for (int number = 1; number <= many; ++number) {
    EventMessage event = reported_source(number);
    event.lost = number % 10 == 0 ? 7 : 0;
    sources.add(event);
  }
  const json seen = data_of(sources.look(news_agent, news_start));
  CHECK(seen.at("since") == 1234);
  CHECK(seen.at("came") == "100000");
  CHECK(seen.at("lost") == "70000");
  const json& newest = seen.at("newest");
  REQUIRE(newest.size() == NewSources::most);
  for (std::size_t i = 0; i < newest.size(); ++i) CHECK(newest[i].at("time") == many - i);
}

TEST_CASE("however fast they come, and however many look, they are written twice a second") {
  NewSources sources;
  sources.look(news_agent, news_start);
  sources.next(news_start, 0);
  const auto first = sources.look(news_agent, news_start);
  CHECK(sources.look(news_agent, news_start + std::chrono::hours(1)) == first);
  auto now = news_start + std::chrono::hours(1);
  sources.add(reported_source(1));
  const auto second = sources.look(news_agent, now);
  CHECK(second != first);
  sources.add(reported_source(2));
  for (int reader = 0; reader < 50; ++reader)
    CHECK(sources.look(news_agent, now += std::chrono::milliseconds(9)) == second);
  CHECK(data_of(sources.look(news_agent, now += std::chrono::milliseconds(50))).at("came") == "2");
}

TEST_CASE("what came while nobody looked is not known, so counting begins anew") {
  NewSources sources;
  sources.look(news_agent, news_start);
  sources.next(news_start, 1000);
  sources.add(reported_source(1));
  const auto later = news_start + std::chrono::seconds(6);
  CHECK(sources.next(later, 7000) == false);
  sources.add(reported_source(2));  // it was on its way
  CHECK(data_of(sources.look(news_agent, later)).at("came") == "1");
  CHECK(sources.next(later, 7000) == true);
  json seen = data_of(sources.look(news_agent, later));
  CHECK(seen.at("since") == 7000);
  CHECK(seen.at("came") == "0");
  CHECK(seen.at("newest").empty());

  sources.add(reported_source(3));
  sources.lose();
  CHECK_FALSE(sources.next(later, 8000));  // until it is known that the next agent reports them
  sources.look(news_agent, later);
  CHECK(sources.next(later, 9000) == true);
  seen = data_of(sources.look(news_agent, later));
  CHECK(seen.at("since") == 9000);
  CHECK(seen.at("came") == "0");
}
