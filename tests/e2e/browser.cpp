// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "browser.hpp"

#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "base/base64.hpp"

namespace xdp_count::testing {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using nlohmann::json;

namespace {

constexpr unsigned short driver_port = 9515;
constexpr std::chrono::seconds patience{30};

}  // namespace

Browser::Browser(const Topology& topology) {
  driver_.emplace(
      std::vector<std::string>{"/usr/bin/chromedriver", "--port=" + std::to_string(driver_port)},
      ProcessOptions{.network_namespace = topology.receiver(), .environment = {"HOME=/run"}});
  const asio::ip::tcp::endpoint address(asio::ip::address_v4::loopback(), driver_port);
  in_network_namespace(topology.receiver(), [&] {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
      boost::system::error_code error;
      socket_.connect(address, error);
      if (!error) break;
      socket_.close();
      if (!driver_->running() || std::chrono::steady_clock::now() > end)
        throw std::runtime_error("chromedriver: " + driver_->standard_output());
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  const json options{
      {"binary", "/usr/bin/chromium"},
      // As root it has no sandbox, and little of /dev/shm in containers.
      {"args", {"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"}}};
  const json made = command(
      "POST", "/session",
      {{"capabilities",
        {{"alwaysMatch",
          {{"goog:chromeOptions", options}, {"goog:loggingPrefs", {{"browser", "ALL"}}}}}}}});
  session_ = "/session/" + made.at("sessionId").get<std::string>();
}

Browser::~Browser() {
  try {
    if (!session_.empty()) command("DELETE", session_);
  } catch (const std::exception&) {
    // It is ended with its driver.
  }
}

void Browser::open(const std::string& url) {
  in_session("url", {{"url", url}});
}

json Browser::run(const std::string& script) {
  return in_session("execute/sync", {{"script", script}, {"args", json::array()}});
}

void Browser::wait_until(const std::string& condition) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (run("return Boolean(" + condition + ")") != true) {
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error("it is not so that " + condition +
                               " in: " + run("return document.body.innerText").get<std::string>());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void Browser::type(const std::string& selector, const std::string& text) {
  const json element = in_session("element", {{"using", "css selector"}, {"value", selector}});
  const std::string path = "element/" + element.begin()->get<std::string>();
  in_session(path + "/clear", json::object());
  in_session(path + "/value", {{"text", text}});
}

void Browser::drag(int from_x, int from_y, int to_x, int to_y) {
  const auto move = [](int x, int y) {
    return json{{"type", "pointerMove"}, {"duration", 20}, {"x", x}, {"y", y}};
  };
  const json steps{move(from_x, from_y),
                   {{"type", "pointerDown"}, {"button", 0}},
                   move((from_x + to_x) / 2, (from_y + to_y) / 2),
                   move(to_x, to_y),
                   {{"type", "pointerUp"}, {"button", 0}}};
  in_session("actions",
             {{"actions", {{{"type", "pointer"}, {"id", "mouse"}, {"actions", steps}}}}});
}

void Browser::cover() {
  covered_ = command("GET", session_ + "/window").get<std::string>();
  switch_to(in_session("window/new", {{"type", "tab"}}).at("handle").get<std::string>());
}

void Browser::uncover() {
  command("DELETE", session_ + "/window");
  switch_to(covered_);
}

void Browser::switch_to(const std::string& tab) {
  in_session("window", {{"handle", tab}});
}

void Browser::set_width(unsigned width) {
  emulate("Emulation.setDeviceMetricsOverride",
          {{"width", width}, {"height", 1000}, {"deviceScaleFactor", 1}, {"mobile", false}});
}

void Browser::set_dark(bool dark) {
  emulate("Emulation.setEmulatedMedia",
          {{"features", {{{"name", "prefers-color-scheme"}, {"value", dark ? "dark" : "light"}}}}});
}

void Browser::write_picture(const std::string& path) {
  const auto png = parse_base64(command("GET", session_ + "/screenshot").get<std::string>());
  if (!png) throw std::runtime_error("the picture is not in base 64");
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(png->data()), static_cast<std::streamsize>(png->size()));
  if (!file.flush()) throw std::runtime_error("writing " + path);
}

json Browser::console() {
  return in_session("se/log", {{"type", "browser"}});
}

void Browser::emulate(const std::string& command, const json& parameters) {
  in_session("goog/cdp/execute", {{"cmd", command}, {"params", parameters}});
}

json Browser::in_session(const std::string& command, const json& parameters) {
  return this->command("POST", session_ + "/" + command, parameters);
}

json Browser::command(const std::string& method, const std::string& path, const json& parameters) {
  http::request<http::string_body> request(http::string_to_verb(method), path, 11);
  request.set(http::field::host, "localhost");
  request.set(http::field::content_type, "application/json");
  if (method == "POST") request.body() = parameters.dump();
  request.prepare_payload();
  http::write(socket_, request);
  http::response_parser<http::string_body> answer;
  answer.body_limit(std::uint64_t{64} << 20);  // a picture
  http::read(socket_, buffer_, answer);
  json value = json::parse(answer.get().body()).at("value");
  if (answer.get().result() != http::status::ok)
    throw std::runtime_error(path + ": " + value.at("message").get<std::string>());
  return value;
}

}  // namespace xdp_count::testing
