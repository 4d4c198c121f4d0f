// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "file_version.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

namespace xdp_count {

std::string file_version(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return fmt::format("{} {} {} {}.{}", status.st_dev, status.st_ino, status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

}  // namespace xdp_count
