// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What a request over HTTP is answered, without a socket.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet.hpp"
#include "history_asker.hpp"
#include "history_recorder.hpp"
#include "page_feed.hpp"

namespace xdp_count {

using HttpRequest = boost::beast::http::request<boost::beast::http::empty_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

struct HttpPolicy {
  // The names by which a browser may ask, besides localhost and addresses: pages of others, whose
  // name leads here, are not to read the answers (DNS rebinding).
  std::vector<std::string> hosts = {};
  std::string token = {};  // that every request must have; empty: none is asked for
};

// At most one of these is there: a response that is whole, one that has the content of a file of
// the page for its body, which is not copied, one whose body goes on as long as the connection, or
// a question that takes a while, for later_answer().
struct HttpAnswer {
  HttpResponse response;
  std::string_view file = {};
  std::optional<PageFeed> feed = {};
  std::optional<HistoryQuestion> question = {};
};

class HttpHandler {
 public:
  // All are kept by reference. `commands`: null where no rule has one. `book`: null where nothing
  // more is known of addresses. `recorder` and `asker`: null where nothing is recorded.
  HttpHandler(Fleet& fleet, const HttpPolicy& policy, const MeasuredCommands* commands = nullptr,
              AddressBook* book = nullptr, const HistoryRecorder* recorder = nullptr,
              HistoryAsker* asker = nullptr)
      : fleet_(fleet),
        policy_(policy),
        commands_(commands),
        book_(book),
        recorder_(recorder),
        asker_(asker) {}

  // Whatever the request holds, nothing is thrown but std::bad_alloc.
  HttpAnswer answer_to(const HttpRequest& request) const;

  // The whole response to a question that answer_to() has given.
  boost::asio::awaitable<HttpResponse> later_answer(const HttpRequest& request,
                                                    HistoryQuestion question) const;

 private:
  HttpAnswer content(const HttpRequest& request) const;
  HttpAnswer history(std::string_view kind, std::string_view query) const;

  Fleet& fleet_;
  const HttpPolicy& policy_;
  const MeasuredCommands* commands_;
  AddressBook* book_;
  const HistoryRecorder* recorder_;
  HistoryAsker* asker_;
};

// An answer that says what is wrong, in plain text of one line, to what may be no request at all;
// the connection is closed behind it.
HttpResponse refusal(boost::beast::http::status status, const std::string& text);

}  // namespace xdp_count
