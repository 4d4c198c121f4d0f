// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Requests, from and to the lines of the protocol.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "model/request.hpp"

namespace xdp_count {

// `line` without its newline. Whatever it holds, the answer is a request or an error to send back;
// nothing is thrown but std::bad_alloc.
std::variant<Request, RequestError> decode_request(std::string_view line);

// The line, with its newline, that decode_request() takes `request` from.
std::string encode_request(const Request& request);

}  // namespace xdp_count
