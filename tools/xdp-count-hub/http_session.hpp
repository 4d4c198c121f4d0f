// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <string_view>

#include "http_server.hpp"

namespace xdp_count {

// One connection: its requests, one after the other. What it holds is bounded by the limits and
// by one answer.
class HttpSession {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  // All but the socket are kept by reference.
  HttpSession(Socket socket, const HttpHandler& handler, const HttpLimits& limits, HttpLoad& load);

  // Ends when the connection does.
  boost::asio::awaitable<void> run();
  void close();

  // Says that there are too many connections, as far as the socket takes that at once.
  static void refuse(Socket socket);

 private:
  // Whether there may be another request.
  boost::asio::awaitable<bool> answer_next();
  boost::asio::awaitable<HttpResponse> history_answer(HistoryQuestion question);
  boost::asio::awaitable<bool> answer(const HttpRequest& request);
  // Whether all of it was taken.
  boost::asio::awaitable<bool> send(const HttpResponse& response, bool with_body);
  boost::asio::awaitable<bool> send(std::string_view text);
  boost::asio::awaitable<void> stream(const HttpResponse& head, PageFeed& feed);

  boost::beast::basic_stream<boost::asio::generic::stream_protocol> stream_;
  boost::beast::flat_buffer buffer_;
  const HttpHandler& handler_;
  const HttpLimits& limits_;
  HttpLoad& load_;
  boost::asio::steady_timer tick_;  // of a stream
};

}  // namespace xdp_count
