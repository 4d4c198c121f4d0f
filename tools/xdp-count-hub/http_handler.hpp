// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What a request over HTTP is answered, without a socket.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string>
#include <vector>

#include "fleet.hpp"

namespace xdp_count {

using HttpRequest = boost::beast::http::request<boost::beast::http::empty_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

struct HttpPolicy {
  // The names by which a browser may ask, besides localhost and addresses: pages of others, whose
  // name leads here, are not to read the answers (DNS rebinding).
  std::vector<std::string> hosts = {};
  std::string token = {};  // that every request must have; empty: none is asked for
};

class HttpHandler {
 public:
  // Both are kept by reference.
  HttpHandler(const Fleet& fleet, const HttpPolicy& policy) : fleet_(fleet), policy_(policy) {}

  // Whatever the request holds, nothing is thrown but std::bad_alloc.
  HttpResponse answer_to(const HttpRequest& request) const;

 private:
  HttpResponse content(const HttpRequest& request) const;

  const Fleet& fleet_;
  const HttpPolicy& policy_;
};

// An answer that says what is wrong, in plain text of one line, to what may be no request at all;
// the connection is closed behind it.
HttpResponse refusal(boost::beast::http::status status, const std::string& text);

}  // namespace xdp_count
