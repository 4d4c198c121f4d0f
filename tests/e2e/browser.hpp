// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "process.hpp"
#include "topology.hpp"

namespace xdp_count::testing {

// A Chromium without a window in the receiver's network namespace, driven over WebDriver (W3C
// Recommendation). Throws std::runtime_error in the driver's words where something fails.
class Browser {
 public:
  explicit Browser(const Topology& topology);
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  void open(const std::string& url);

  // What a JavaScript function with this body returns in the page.
  nlohmann::json run(const std::string& script);

  // The same once it is true. Throws when it is not within patience.
  void wait_until(const std::string& condition);

  // Types into the field that a CSS selector finds.
  void type(const std::string& selector, const std::string& text);

  // With the left button of the mouse, by pixels of the window's inside.
  void drag(int from_x, int from_y, int to_x, int to_y);

  // Opens an empty tab in front of the page, which is hidden then, and closes it. Meanwhile all
  // else is of the empty one.
  void cover();
  void uncover();

  void set_width(unsigned width);
  void set_dark(bool dark);

  // The whole page, as a PNG.
  void write_picture(const std::string& path);

  // What was written to the console since, errors and violations of the page's policy included.
  nlohmann::json console();

 private:
  nlohmann::json command(const std::string& method, const std::string& path,
                         const nlohmann::json& parameters = nlohmann::json::object());
  nlohmann::json in_session(const std::string& command, const nlohmann::json& parameters);
  void switch_to(const std::string& tab);
  void emulate(const std::string& command, const nlohmann::json& parameters);

  std::optional<Process> driver_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_{io_};
  boost::beast::flat_buffer buffer_;
  std::string session_;
  std::string covered_;  // the page's tab
};

}  // namespace xdp_count::testing
