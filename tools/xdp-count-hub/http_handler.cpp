// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "http_handler.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/base64.hpp"
#include "base/time_format.hpp"
#include "history_query.hpp"
#include "metrics/metrics_text.hpp"
#include "page_file.hpp"
#include "page_selection.hpp"

namespace xdp_count {

namespace http = boost::beast::http;
using boost::beast::iequals;

namespace {

// What every answer says, so that no browser takes it for something else, runs or loads what is not
// ours, shows it in a frame, lets other pages have it, or tells others where somebody was.
void add_defences(HttpResponse& response) {
  response.set("Content-Security-Policy",
               "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
               "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.set(http::field::cache_control, "no-store");
}

constexpr unsigned http_1_1 = 11;

// Whose body comes from elsewhere.
HttpResponse open_response(std::string_view type) {
  HttpResponse response(http::status::ok, http_1_1);
  response.set(http::field::content_type, type);
  add_defences(response);
  return response;
}

HttpResponse text_response(http::status status, std::string_view type, std::string body) {
  HttpResponse response(status, http_1_1);
  response.set(http::field::content_type, type);
  response.body() = std::move(body);
  add_defences(response);
  response.prepare_payload();
  return response;
}

HttpResponse plain(http::status status, const std::string& text) {
  return text_response(status, "text/plain; charset=utf-8", text + "\n");
}

constexpr std::string_view json_type = "application/json";

HttpResponse refusal_json(http::status status, const std::string& text) {
  using json = nlohmann::json;
  return text_response(
      status, json_type,
      json{{"error", text}}.dump(-1, ' ', true, json::error_handler_t::replace) + "\n");
}

// The host of "host:port", "[address]:port", or either without a port; nothing where that is
// neither.
std::optional<std::string_view> host_without_port(std::string_view host) {
  std::size_t end = 0;
  if (host.starts_with('[')) {
    const auto bracket = host.find(']');
    if (bracket == host.npos) return std::nullopt;
    end = bracket + 1;
  } else {
    end = std::min(host.find(':'), host.size());
  }
  const std::string_view port = host.substr(end);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!port.empty() && (port[0] != ':' || !std::ranges::all_of(port.substr(1), is_digit)))
    return std::nullopt;
  return host.substr(0, end);
}

bool is_ip_address(std::string_view host) {
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

bool is_host_known(std::string_view host, const std::vector<std::string>& names) {
  const auto name = host_without_port(host);
  if (!name || name->empty()) return false;
  return iequals(*name, "localhost") || is_ip_address(*name) ||
         std::ranges::any_of(names,
                             [&](const std::string& known) { return iequals(*name, known); });
}

// Takes as long however many of the characters are right.
bool is_same_secret(std::string_view given, std::string_view secret) {
  unsigned difference = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i)
    difference |= static_cast<unsigned char>(given[i]) ^
                  static_cast<unsigned char>(secret[i % secret.size()]);
  return difference == 0;
}

// Programs send "Bearer TOKEN", browsers ask their user for a name, which is of no consequence, and
// a password, which is the token: "Basic " and both in base 64.
bool has_token(const HttpRequest& request, const std::string& token) {
  const std::string_view given = request[http::field::authorization];
  constexpr std::string_view bearer = "Bearer ";
  constexpr std::string_view basic = "Basic ";
  if (given.size() > bearer.size() && iequals(given.substr(0, bearer.size()), bearer))
    return is_same_secret(given.substr(bearer.size()), token);
  if (given.size() <= basic.size() || !iequals(given.substr(0, basic.size()), basic)) return false;
  const auto pair = parse_base64(std::string(given.substr(basic.size())));
  if (!pair) return false;
  const auto colon = std::ranges::find(*pair, ':');
  return colon != pair->end() && is_same_secret(std::string(colon + 1, pair->end()), token);
}

MetricsFormat wanted_format(const HttpRequest& request) {
  const std::string_view accept = request[http::field::accept];
  return accept.find("application/openmetrics-text") == accept.npos ? MetricsFormat::prometheus
                                                                    : MetricsFormat::open_metrics;
}

}  // namespace

HttpAnswer HttpHandler::answer_to(const HttpRequest& request) const {
  HttpAnswer answer = content(request);
  answer.response.keep_alive(request.keep_alive() && !answer.feed);
  return answer;
}

HttpAnswer HttpHandler::content(const HttpRequest& request) const {
  if (request.count(http::field::host) != 1)
    return {plain(http::status::bad_request, "a request has one Host")};
  if (!is_host_known(request[http::field::host], policy_.hosts))
    return {plain(http::status::misdirected_request,
                  "this is not a name of the hub: ask by address, or start it with --host NAME")};
  if (!policy_.token.empty() && !has_token(request, policy_.token)) {
    HttpResponse response = plain(http::status::unauthorized,
                                  "the token is missing or wrong: give it as a bearer token, or as "
                                  "the password of any user");
    response.set(http::field::www_authenticate, "Basic realm=\"xdp-count-hub\", charset=\"UTF-8\"");
    return {std::move(response)};
  }
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    HttpResponse response = plain(http::status::method_not_allowed, "only GET and HEAD");
    response.set(http::field::allow, "GET, HEAD");
    return {std::move(response)};
  }
  const std::string_view target = request.target();
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/metrics") {
    const MetricsFormat format = wanted_format(request);
    std::optional<MeasuredHistory> history;
    if (parts_.history) history = parts_.history();
    return {text_response(
        http::status::ok, media_type(format),
        metrics_text(fleet_.agents(), format, parts_.commands, history ? &*history : nullptr))};
  }
  const std::string_view query = target.substr(std::min(target.size(), path.size() + 1));
  if (constexpr std::string_view history_path = "/api/v1/history/"; path.starts_with(history_path))
    return history(path.substr(history_path.size()), query);
  if (path == "/api/stream")
    return {.response = open_response("text/event-stream"),
            .feed = PageFeed(fleet_, parse_page_selection(query), request["Last-Event-ID"],
                             parts_.book, parts_.asker != nullptr)};
  if (const PageFile* file = page_file(path)) {
    HttpAnswer answer{.response = open_response(file->type), .file = file->content};
    answer.response.content_length(file->content.size());
    return answer;
  }
  return {plain(http::status::not_found, "there is nothing here; there are / and /metrics")};
}

HttpAnswer HttpHandler::history(std::string_view kind, std::string_view query) const {
  if (!parts_.asker)
    return {refusal_json(http::status::not_found,
                         "this hub records nothing: start it with --history FILE")};
  if (parts_.asker->is_busy())
    return {refusal_json(http::status::service_unavailable,
                         "too many ask for the history: try again later")};
  try {
    return {.question = parse_history_query(kind, query, unix_time_ms())};
  } catch (const std::runtime_error& error) {
    return {refusal_json(http::status::bad_request, error.what())};
  }
}

HttpResponse history_response(std::string json) {
  return text_response(http::status::ok, json_type, std::move(json));
}

HttpResponse history_refusal(const std::string& reason) {
  return refusal_json(http::status::service_unavailable, reason);
}

HttpResponse refusal(http::status status, const std::string& text) {
  HttpResponse response = plain(status, text);
  response.keep_alive(false);
  return response;
}

}  // namespace xdp_count
