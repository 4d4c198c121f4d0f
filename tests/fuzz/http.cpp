// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Whatever a client sends over HTTP: what can be read as a request is answered, bounded, with the
// headers that defend a browser, and never by what is behind the token.
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "expect.hpp"
#include "http_handler.hpp"
#include "sample_messages.hpp"

namespace xdp_count {
namespace {

namespace http = boost::beast::http;

// A hub with one agent, whose interface is called what would be a tag.
struct Hub {
  Fleet fleet{HubConfig{.rules = {{.name = "rule", .above = 1, .clear = 1}}}};
  HttpPolicy open{.hosts = {"hub.example"}};
  HttpPolicy closed{.token = "0123456789abcdef"};
  HistoryAsker asker{"/run/history.db"};
  HttpHandler handler{fleet, open, {.asker = &asker}};
  HttpHandler guarded{fleet, closed};

  Hub() {
    const std::string path = "/run/xdp-count/eth0.sock";
    SnapshotHead head = any_head();
    head.interface = "<b>x\"y";
    fleet.add(path);
    fleet.update(path, {head, any_status()});
    for (int second = 0; second < 3; ++second) {
      head.time += 1000;
      fleet.tick(path, head);
    }
  }
};

void check_answer(HttpAnswer answer, std::string_view input) {
  static const std::set<unsigned> statuses{200, 400, 401, 404, 405, 421};
  if (answer.question) return;  // of the history, which is not here
  const HttpResponse& response = answer.response;
  expect(statuses.contains(response.result_int()), "a status is one of those that there are",
         input);
  expect(response["X-Content-Type-Options"] == "nosniff", "browsers guess nothing", input);
  expect(response["Content-Security-Policy"].starts_with("default-src 'none'; "),
         "browsers run nothing else", input);
  expect(response.count(http::field::access_control_allow_origin) == 0, "others may not read",
         input);
  expect(response.body().size() <= 64 * 1024, "an answer is bounded", input);
  if (answer.feed) {
    const std::string text = answer.feed->next({}) + answer.feed->next({});
    expect(text.size() <= 64 * 1024, "what a stream says is bounded", input);
    expect(text.ends_with("\n\n"), "a stream says whole events", input);
    expect(text.find('\r') == text.npos, "no line of a stream ends early", input);
  }
}

}  // namespace
}  // namespace xdp_count

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace xdp_count;
  static Hub hub;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  http::request_parser<http::empty_body> parser;
  parser.header_limit(4096);
  parser.body_limit(0);
  boost::beast::error_code error;
  parser.put(boost::asio::buffer(input.data(), input.size()), error);
  if (error || !parser.is_done()) return 0;
  const HttpRequest request = parser.release();
  check_answer(hub.handler.answer_to(request), input);
  HttpAnswer refused = hub.guarded.answer_to(request);
  const bool has_token = input.find("0123456789abcdef") != input.npos ||
                         input.find("Basic") != input.npos || input.find("basic") != input.npos;
  expect(has_token || refused.response.result_int() != 200, "without the token nothing is said",
         input);
  check_answer(std::move(refused), input);
  return 0;
}
