// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/library_log.hpp"

#include <bpf/libbpf.h>
#include <fmt/ranges.h>
#include <xdp/libxdp.h>

#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "base/log.hpp"

namespace xdp_count {
namespace {

thread_local LibraryMessages* collector = nullptr;

// `library` is how its lines begin.
void take_message(const char* library, bool warning, const char* format, va_list arguments) {
  if (!warning && !log::verbose()) return;
  char text[4096];  // a longer one, such as the verifier's log, is cut
  std::vsnprintf(text, sizeof text, format, arguments);
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    if (line.empty()) continue;
    if (warning && collector) collector->add(std::string(line));
    // Most lines name their library themselves.
    log::debug("{}{}", line.starts_with(library) ? "" : library, line);
  }
}

// Both libraries demand 0.
int on_libbpf_message(libbpf_print_level level, const char* format, va_list arguments) {
  take_message("libbpf: ", level == LIBBPF_WARN, format, arguments);
  return 0;
}

int on_libxdp_message(libxdp_print_level level, const char* format, va_list arguments) {
  take_message("libxdp: ", level == LIBXDP_WARN, format, arguments);
  return 0;
}

}  // namespace

void redirect_library_messages() {
  libbpf_set_print(on_libbpf_message);
  libxdp_set_print(on_libxdp_message);
}

LibraryMessages::LibraryMessages() : outer_(collector) {
  collector = this;
}

LibraryMessages::~LibraryMessages() {
  collector = outer_;
}

std::optional<std::string> LibraryMessages::kernel_message() const {
  constexpr std::string_view marker = "Kernel error message: ";  // libbpf's src/nlattr.c
  for (const std::string& line : lines_)
    if (const std::size_t at = line.find(marker); at != line.npos)
      return line.substr(at + marker.size());
  return std::nullopt;
}

std::string LibraryMessages::warnings() const {
  return fmt::format("{}", fmt::join(lines_, "; "));
}

}  // namespace xdp_count
