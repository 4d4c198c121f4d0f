// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "http_handler.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/base64.hpp"
#include "sample_messages.hpp"

using namespace xdp_count;
namespace http = boost::beast::http;

namespace {

const std::string any_path = "/run/xdp-count/eth0.sock";

Fleet fleet_of_one() {
  Fleet fleet;
  fleet.add(any_path);
  fleet.update(any_path, {any_head(), any_status()});
  return fleet;
}

HttpRequest request_for(const std::string& target, const std::string& host = "127.0.0.1:8484") {
  HttpRequest request(http::verb::get, target, 11);
  request.set(http::field::host, host);
  return request;
}

HttpResponse response_to(const HttpHandler& handler, const HttpRequest& request) {
  return handler.answer_to(request).response;
}

http::status status_with(const HttpPolicy& policy, const HttpRequest& request) {
  Fleet fleet = fleet_of_one();
  return response_to(HttpHandler(fleet, policy), request).result();
}

std::string basic(const std::string& user_and_password) {
  return "Basic " +
         base64(std::vector<std::uint8_t>(user_and_password.begin(), user_and_password.end()));
}

}  // namespace

TEST_CASE("metrics are served in the format that is accepted") {
  Fleet fleet = fleet_of_one();
  const HttpPolicy policy;
  const HttpHandler handler(fleet, policy);
  HttpRequest request = request_for("/metrics?x=1");
  const HttpResponse plain = response_to(handler, request);
  CHECK(plain.result() == http::status::ok);
  CHECK(plain[http::field::content_type] == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(plain.body() == metrics_text(fleet.agents(), MetricsFormat::prometheus));
  CHECK(plain[http::field::content_length] == std::to_string(plain.body().size()));

  request.set(http::field::accept,
              "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4");
  const HttpResponse open = response_to(handler, request);
  CHECK(open[http::field::content_type] ==
        "application/openmetrics-text; version=1.0.0; charset=utf-8");
  CHECK(open.body() == metrics_text(fleet.agents(), MetricsFormat::open_metrics));
}

TEST_CASE("an agent that was lost is down, and one whose socket is gone is forgotten") {
  Fleet fleet = fleet_of_one();
  const HttpPolicy policy;
  const HttpHandler handler(fleet, policy);
  const auto body = [&] { return response_to(handler, request_for("/metrics")).body(); };
  fleet.lose(any_path);
  CHECK(body().ends_with("\nxdp_count_agent_up{interface=\"eth0\"} 0\n"));
  fleet.remove(any_path);
  CHECK(body().empty());
  fleet.update(any_path, {any_head(), any_status()});  // its last answer, late
  CHECK(body().empty());
}

TEST_CASE("every answer defends itself in a browser") {
  Fleet fleet = fleet_of_one();
  const HttpPolicy policy;
  const HttpHandler handler(fleet, policy);
  HttpRequest post = request_for("/metrics");
  post.method(http::verb::post);
  for (const HttpRequest& request :
       {request_for("/metrics"), request_for("/nothing"), request_for("/", "evil.example"), post}) {
    const HttpResponse response = response_to(handler, request);
    const std::string policy_text(response["Content-Security-Policy"]);
    CHECK(policy_text.starts_with("default-src 'none'; "));
    CHECK(policy_text.find("unsafe") == policy_text.npos);
    CHECK(response["X-Content-Type-Options"] == "nosniff");
    CHECK(response["Referrer-Policy"] == "no-referrer");
    CHECK(response["Cross-Origin-Resource-Policy"] == "same-origin");
    CHECK(response["Access-Control-Allow-Origin"].empty());
  }
}

TEST_CASE("only GET and HEAD are answered") {
  for (const auto verb : {http::verb::post, http::verb::put, http::verb::delete_,
                          http::verb::options, http::verb::trace, http::verb::connect}) {
    HttpRequest request = request_for("/metrics");
    request.method(verb);
    Fleet fleet;
    const HttpPolicy policy;
    const HttpResponse response = response_to(HttpHandler(fleet, policy), request);
    CHECK(response.result() == http::status::method_not_allowed);
    CHECK(response[http::field::allow] == "GET, HEAD");
  }
  HttpRequest head = request_for("/metrics");
  head.method(http::verb::head);
  CHECK(status_with({}, head) == http::status::ok);
}

TEST_CASE("a name that is not the hub's own is refused, whoever it leads here") {
  const HttpPolicy policy{.hosts = {"router.example"}};
  for (const char* host : {"localhost", "localhost:", "LOCALHOST:1", "127.0.0.1:8484", "192.0.2.7",
                           "[::1]:8484", "[2001:db8::1]", "router.example:80", "Router.Example"})
    CHECK_MESSAGE(status_with(policy, request_for("/metrics", host)) == http::status::ok, host);
  for (const char* host :
       {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "router.example.", "",
        ":80", "localhost:80@evil.example", "localhost:8x", "[::1", "[]", "::1x",
        "evil.example:80:80", "router.example/", "127.1"})
    CHECK_MESSAGE(
        status_with(policy, request_for("/metrics", host)) == http::status::misdirected_request,
        host);

  HttpRequest none = request_for("/metrics");
  none.erase(http::field::host);
  CHECK(status_with(policy, none) == http::status::bad_request);
  HttpRequest two = request_for("/metrics");
  two.insert(http::field::host, "evil.example");
  CHECK(status_with(policy, two) == http::status::bad_request);
}

TEST_CASE("with a token nothing is answered without it") {
  const HttpPolicy policy{.token = "0123456789abcdef"};
  const auto status_for = [&](const std::string& authorization, const std::string& target) {
    HttpRequest request = request_for(target);
    if (!authorization.empty()) request.set(http::field::authorization, authorization);
    return status_with(policy, request);
  };
  for (const std::string& right :
       {std::string("Bearer 0123456789abcdef"), std::string("bearer 0123456789abcdef"),
        basic("anybody:0123456789abcdef"), basic(":0123456789abcdef")})
    CHECK_MESSAGE(status_for(right, "/metrics") == http::status::ok, right);
  for (const std::string& wrong :
       {std::string(), std::string("Bearer"), std::string("Bearer "),
        std::string("Bearer 0123456789abcdeg"), std::string("Bearer 0123456789abcde"),
        std::string("Bearer 0123456789abcdef0"),
        std::string("Bearer 0123456789abcdef0123456789abcdef"), std::string("0123456789abcdef"),
        basic("0123456789abcdef"), basic("0123456789abcdef:"), basic("a:b:0123456789abcdef"),
        std::string("Basic ="), std::string("Basic")})
    for (const char* target : {"/metrics", "/", "/nothing"})
      CHECK_MESSAGE(status_for(wrong, target) == http::status::unauthorized, wrong);

  Fleet fleet;
  const HttpResponse response = response_to(HttpHandler(fleet, policy), request_for("/metrics"));
  CHECK(response[http::field::www_authenticate] ==
        "Basic realm=\"xdp-count-hub\", charset=\"UTF-8\"");
}

TEST_CASE("a connection lives on where its client wants that, and not behind a refusal") {
  Fleet fleet;
  const HttpPolicy policy;
  const HttpHandler handler(fleet, policy);
  HttpRequest request = request_for("/metrics");
  CHECK(response_to(handler, request).keep_alive());
  request.keep_alive(false);
  CHECK_FALSE(response_to(handler, request).keep_alive());
  CHECK_FALSE(refusal(http::status::bad_request, "why").keep_alive());
}
