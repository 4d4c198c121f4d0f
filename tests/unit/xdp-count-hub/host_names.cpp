// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host_names.hpp"

#include <doctest/doctest.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <set>

using namespace xdp_count;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

const auto any_time = HostNames::Clock::time_point{};

// A name server on 127.0.0.1 that has one answer for all questions: a name, or that there is none.
class NameServer {
 public:
  explicit NameServer(asio::io_context& io) : socket_(io, {asio::ip::address_v4::loopback(), 0}) {
    receive();
  }

  std::string address() const {
    return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
  }

  void stop() { socket_.close(); }

  std::string name = "host.example";  // empty: there is none
  bool is_silent = false;
  int questions = 0;

 private:
  void receive() {
    socket_.async_receive_from(asio::buffer(question_), client_,
                               [this](const auto& error, std::size_t size) {
                                 if (error) return;
                                 ++questions;
                                 if (!is_silent) answer(size);
                                 receive();
                               });
  }

  // RFC 1035, 4.1: the question's head and the question itself, and behind it a PTR record.
  void answer(std::size_t size) {
    std::string text(question_.data(), size);
    // What the resolver adds behind its question is left out.
    const std::size_t end_of_name = text.find('\0', 12);
    text.resize(end_of_name + 5);
    text[2] = static_cast<char>(0x81);
    text[3] = static_cast<char>(name.empty() ? 0x83 : 0x80);
    text[7] = name.empty() ? 0 : 1;
    text[9] = text[11] = 0;
    if (!name.empty()) {
      std::string data;
      for (std::size_t begin = 0; begin <= name.size();) {
        const std::size_t end = std::min(name.find('.', begin), name.size());
        data += static_cast<char>(end - begin);
        data += name.substr(begin, end - begin);
        begin = end + 1;
      }
      data += '\0';
      text += std::string("\xc0\x0c\0\x0c\0\x01\0\0\0\x3c\0", 11) + static_cast<char>(data.size());
      text += data;
    }
    socket_.send_to(asio::buffer(text), client_);
  }

  asio::ip::udp::socket socket_;
  asio::ip::udp::endpoint client_;
  std::array<char, 1500> question_{};
};

// Looks until there is a name, or for a second.
std::string name_of(asio::io_context& io, HostNames& names, const Address& address) {
  for (int i = 0; i < 100; ++i) {
    names.begin_look();
    if (const std::string name = names.look(address, any_time); !name.empty()) return name;
    io.run_for(10ms);
  }
  return {};
}

}  // namespace

TEST_CASE("a name is there once it has been answered, and is asked for once") {
  asio::io_context io;
  NameServer server(io);
  HostNames names(io.get_executor(), server.address());
  CHECK(names.look(0xc0000201, any_time).empty());
  CHECK(name_of(io, names, 0xc0000201) == "host.example");
  CHECK(name_of(io, names, Address(0x20010db800000000, 1)) == "host.example");
  const int questions = server.questions;
  for (int i = 0; i < 100; ++i) CHECK(names.look(0xc0000201, any_time) == "host.example");
  io.run_for(20ms);
  CHECK(server.questions == questions);
  // Later it is asked for anew, and the old one is good for so long.
  server.name = "other.example";
  const auto later = HostNames::Clock::now() + HostNames::kept + 1s;
  CHECK(names.look(0xc0000201, later) == "host.example");
  for (int i = 0; i < 100 && names.look(0xc0000201, any_time) == "host.example"; ++i)
    io.run_for(10ms);
  CHECK(names.look(0xc0000201, any_time) == "other.example");
}

TEST_CASE("what has no name is not asked for again and again") {
  asio::io_context io;
  NameServer server(io);
  server.name.clear();
  HostNames names(io.get_executor(), server.address());
  names.look(0xc0000201, any_time);
  io.run_for(100ms);
  const int questions = server.questions;
  CHECK(questions >= 1);
  for (int i = 0; i < 10; ++i) {
    CHECK(names.look(0xc0000201, any_time).empty());
    io.run_for(5ms);
  }
  CHECK(server.questions == questions);
}

TEST_CASE("no more is asked at a time than may be, and a silent server keeps nobody at the end") {
  asio::io_context io;
  NameServer server(io);
  server.is_silent = true;
  {
    HostNames names(io.get_executor(), server.address());
    for (std::uint32_t i = 0; i < 1000; ++i) names.look(0xc0000000 + i, any_time);
    io.run_for(100ms);
    CHECK(server.questions == static_cast<int>(HostNames::most_begun));
    for (std::uint32_t i = 0; i < 1000; ++i) {
      names.begin_look();
      names.look(0xc0000000 + i, any_time);
    }
    io.run_for(100ms);
    CHECK(server.questions == static_cast<int>(HostNames::most_asked));
    // Nothing but the server itself is waited for then, and nothing more is asked.
    server.stop();
    names.stop();
    names.begin_look();
    names.look(0xc0010000, any_time);
    const auto begin = HostNames::Clock::now();
    io.restart();
    io.run();
    CHECK(HostNames::Clock::now() - begin < 1s);  // and not the time that an answer may take
  }
}

TEST_CASE("a name that was known stays while none is answered, and is asked for again soon") {
  asio::io_context io;
  NameServer server(io);
  HostNames names(io.get_executor(), server.address());
  CHECK(name_of(io, names, 0xc0000201) == "host.example");
  server.name.clear();
  const int questions = server.questions;
  names.look(0xc0000201, HostNames::Clock::now() + HostNames::kept + 1s);
  for (int i = 0; i < 100 && server.questions == questions; ++i) io.run_for(10ms);
  io.run_for(50ms);
  CHECK(names.look(0xc0000201, any_time) == "host.example");
  // It is asked again sooner than what has a name.
  const int before = server.questions;
  names.look(0xc0000201, HostNames::Clock::now() + HostNames::failure_kept + 1s);
  io.run_for(50ms);
  CHECK(server.questions > before);
}

TEST_CASE("a name that could pass for something else is none") {
  asio::io_context io;
  NameServer server(io);
  server.name = "dns.example, AS64496 Example";
  HostNames names(io.get_executor(), server.address());
  names.look(0xc0000201, any_time);
  io.run_for(100ms);
  CHECK(server.questions > 0);
  CHECK(names.look(0xc0000201, any_time).empty());
}

TEST_CASE("what nobody beyond this link can know is not asked for") {
  asio::io_context io;
  NameServer server(io);
  HostNames names(io.get_executor(), server.address());
  for (const char* address : {"0.0.0.0", "127.1.2.3", "169.254.1.2", "224.0.0.1", "255.255.255.255",
                              "::", "::1", "fe80::1", "febf::1", "ff02::1"})
    names.look(*parse_address(address), any_time);
  io.run_for(50ms);
  CHECK(server.questions == 0);
  for (const char* address : {"192.0.2.1", "10.0.0.1", "fec0::1", "fd00::1", "::2"})
    names.look(*parse_address(address), any_time);
  io.run_for(50ms);
  CHECK(server.questions == 5);
}

TEST_CASE("the names that are kept are bounded") {
  asio::io_context io;
  NameServer server(io);
  HostNames names(io.get_executor(), server.address());
  // The first is forgotten: it is asked for anew.
  CHECK(name_of(io, names, 0x0a000000) == "host.example");
  for (std::uint32_t i = 1; i <= HostNames::most_kept; ++i) {
    names.begin_look();
    names.look(0x0a000000 + i, any_time);
    if (i % HostNames::most_asked == 0) {
      const int wanted = static_cast<int>(i) + 1;
      for (int n = 0; n < 1000 && server.questions < wanted; ++n) io.run_for(1ms);
      io.poll();
    }
  }
  CHECK(names.look(0x0a000000, any_time).empty());
}
