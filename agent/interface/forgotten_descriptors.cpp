// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/forgotten_descriptors.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

#include "program/kernel_program_info.hpp"

namespace xdp_count {
namespace {

// Other threads open and close other ones meanwhile: what cannot be read is none.
std::vector<int> program_descriptors() {
  std::vector<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone) == "anon_inode:bpf-prog")
      found.push_back(std::stoi(entry.path().filename()));
  }
  return found;
}

std::uint32_t program_id(int fd) {
  const auto info = program_info(fd);
  return info ? info->id : 0;
}

}  // namespace

ForgottenDescriptors::ForgottenDescriptors() : before_(program_descriptors()) {}

ForgottenDescriptors::~ForgottenDescriptors() {
  try {
    for (const int fd : program_descriptors()) {
      const bool was_open = std::find(before_.begin(), before_.end(), fd) != before_.end();
      if (!was_open && program_id(fd) != kept_) ::close(fd);
    }
  } catch (const std::filesystem::filesystem_error&) {
    // They stay open then: nothing is counted wrong.
  }
}

}  // namespace xdp_count
