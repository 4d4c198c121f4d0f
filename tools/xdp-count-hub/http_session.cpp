// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "http_session.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <sstream>
#include <utility>

namespace xdp_count {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

// What is answered to something that is no request; nothing where the connection is at its end.
std::optional<HttpResponse> refusal_of(const beast::error_code& error, const HttpLimits& limits) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return refusal(http::status::request_header_fields_too_large,
                   "a request has at most " + std::to_string(limits.header_bytes) + " bytes");
  if (error == http::error::body_limit || error == http::error::unexpected_body)
    return refusal(http::status::payload_too_large, "a request has no body here");
  if (error == beast::error::timeout)
    return std::nullopt;  // whoever says nothing, or that slowly, is told nothing
  if (error.category() == make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message)
    return refusal(http::status::bad_request, "this is no HTTP request: " + error.message());
  return std::nullopt;
}

// One of the streams, for as long as this is there.
class StreamPlace {
 public:
  explicit StreamPlace(std::size_t& streams) : streams_(streams) { ++streams_; }
  ~StreamPlace() { --streams_; }
  StreamPlace(const StreamPlace&) = delete;
  StreamPlace& operator=(const StreamPlace&) = delete;

 private:
  std::size_t& streams_;
};

}  // namespace

HttpSession::HttpSession(Socket socket, const HttpHandler& handler, const HttpLimits& limits,
                         HttpLoad& load)
    : stream_(std::move(socket)),
      buffer_(limits.header_bytes),
      handler_(handler),
      limits_(limits),
      load_(load),
      tick_(stream_.get_executor()) {}

asio::awaitable<void> HttpSession::run() {
  while (co_await answer_next()) {
  }
  beast::error_code ignored;
  stream_.socket().shutdown(Socket::shutdown_send, ignored);
  // What the client still sends is read for a moment: closing at once would reset the connection,
  // and what was answered might not arrive.
  stream_.expires_after(limits_.farewell);
  std::array<char, 4096> rest;
  for (std::size_t left = 256 * rest.size(); left > 0; left -= rest.size()) {
    const auto [error, size] =
        co_await stream_.async_read_some(asio::buffer(rest), asio::as_tuple(asio::use_awaitable));
    if (error) break;
  }
}

asio::awaitable<bool> HttpSession::answer_next() {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
  parser.body_limit(0);
  stream_.expires_after(limits_.request);
  const auto [error, size] =
      co_await http::async_read(stream_, buffer_, parser, asio::as_tuple(asio::use_awaitable));
  if (error) {
    if (const auto response = refusal_of(error, limits_)) co_await send(*response, true);
    co_return false;
  }
  const HttpRequest request = parser.release();
  // A coding that the parser does not know would hide a body, and in it another request.
  if (request.count(http::field::transfer_encoding) > 0) {
    co_await send(refusal(http::status::bad_request, "a request has no body here"), true);
    co_return false;
  }
  co_return co_await answer(request);
}

asio::awaitable<HttpResponse> HttpSession::history_answer(HistoryQuestion question) {
  try {
    std::string json = co_await handler_.asker().answer(std::move(question));
    co_return history_response(std::move(json));
  } catch (const std::runtime_error& error) {
    co_return history_refusal(error.what());
  }
}

asio::awaitable<bool> HttpSession::answer(const HttpRequest& request) {
  HttpAnswer answer = handler_.answer_to(request);
  if (answer.question) {
    HistoryQuestion question = *std::move(answer.question);
    answer.response = co_await history_answer(std::move(question));
    answer.response.keep_alive(request.keep_alive());
  }
  const bool with_body = request.method() != http::verb::head;
  if (with_body && answer.feed) {
    co_await stream(answer.response, *answer.feed);
    co_return false;
  }
  bool sent = co_await send(answer.response, with_body);
  if (sent && with_body && !answer.file.empty()) sent = co_await send(answer.file);
  co_return sent&& answer.response.keep_alive();
}

asio::awaitable<bool> HttpSession::send(const HttpResponse& response, bool with_body) {
  stream_.expires_after(limits_.response);
  http::response_serializer<http::string_body> serializer(response);
  const auto [error, size] =
      with_body
          ? co_await http::async_write(stream_, serializer, asio::as_tuple(asio::use_awaitable))
          : co_await http::async_write_header(stream_, serializer,
                                              asio::as_tuple(asio::use_awaitable));
  co_return !error;
}

asio::awaitable<bool> HttpSession::send(std::string_view text) {
  stream_.expires_after(limits_.response);
  const auto [error, size] = co_await asio::async_write(
      stream_, asio::buffer(text.data(), text.size()), asio::as_tuple(asio::use_awaitable));
  co_return !error;
}

// A client that goes shows in that nothing can be written to it any more.
asio::awaitable<void> HttpSession::stream(const HttpResponse& head, PageFeed& feed) {
  if (load_.streams >= limits_.streams) {
    co_await send(refusal(http::status::service_unavailable,
                          "too many pages are open: close one, or try again later"),
                  true);
    co_return;
  }
  const StreamPlace place(load_.streams);
  bool sent = co_await send(head, false);
  while (sent) {
    const std::string text = feed.next(RowQueries::Clock::now());
    sent = co_await send(text);
    if (!sent) break;
    tick_.expires_after(feed.waits_for_rows() ? limits_.soon : limits_.tick);
    co_await tick_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void HttpSession::close() {
  tick_.cancel();
  beast::error_code ignored;
  stream_.socket().close(ignored);
}

void HttpSession::refuse(Socket socket) {
  HttpResponse response =
      refusal(http::status::service_unavailable, "too many connections are open; try again later");
  std::ostringstream text;
  text << response;
  const std::string line = text.str();
  beast::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(line), ignored);
  // What has been asked already: the client would see a reset if that were left unread.
  std::array<char, 4096> request;
  socket.read_some(asio::buffer(request), ignored);
}

}  // namespace xdp_count
