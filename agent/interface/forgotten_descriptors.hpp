// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <vector>

namespace xdp_count {

// Wraps calls of libxdp, which before version 1.6 forgets descriptors of all the programs that it
// finds on an interface (xdp_multiprog__from_id(), xdp_program__from_pin()). They would keep these
// programs loaded, with all their memory, for as long as this process runs. Meanwhile no other
// thread may open descriptors of BPF programs.
class ForgottenDescriptors {
 public:
  // Throws std::filesystem::filesystem_error.
  ForgottenDescriptors();

  // Closes the descriptors of BPF programs that have been opened since, but for the one to keep.
  ~ForgottenDescriptors();
  ForgottenDescriptors(const ForgottenDescriptors&) = delete;
  ForgottenDescriptors& operator=(const ForgottenDescriptors&) = delete;

  // Those of this program are in use.
  void keep(std::uint32_t program_id) noexcept { kept_ = program_id; }

 private:
  std::vector<int> before_;
  std::uint32_t kept_ = 0;
};

}  // namespace xdp_count
