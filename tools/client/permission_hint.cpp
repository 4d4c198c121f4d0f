// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "client/permission_hint.hpp"

#include <fmt/core.h>
#include <grp.h>
#include <sys/stat.h>

#include <filesystem>

namespace xdp_count {

std::string permission_hint(const std::string& path) {
  struct stat found {};
  // Where the directory is closed too, it is the directory's group that matters first.
  const bool known = ::stat(path.c_str(), &found) == 0 ||
                     ::stat(std::filesystem::path(path).parent_path().c_str(), &found) == 0;
  if (!known || found.st_gid == 0)
    return "only root may: use sudo, or start xdp-count with --socket-group and a group of yours";
  const group* entry = ::getgrgid(found.st_gid);
  const std::string name = entry ? entry->gr_name : std::to_string(found.st_gid);
  return fmt::format(
      "root and the group {0} may: use sudo, or join the group (sudo usermod -aG {0} USER) and log "
      "in anew",
      name);
}

}  // namespace xdp_count
