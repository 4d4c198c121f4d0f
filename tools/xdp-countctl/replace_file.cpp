// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "replace_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xdp_count {

void replace_file(const std::string& path, const std::string& text) {
  // Beside it, since a file cannot be renamed to another file system. Its name ends in nothing that
  // a program which reads a whole directory would look for.
  std::string temporary = path + ".XXXXXX";
  const UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) throw_errno("making a file beside " + path);
  struct Removal {
    const char* path;
    ~Removal() {
      if (path) ::unlink(path);
    }
  } removal{temporary.c_str()};
  for (std::string_view left = text; !left.empty();) {
    const ssize_t written = ::write(file.get(), left.data(), left.size());
    if (written < 0) throw_errno("writing " + temporary);
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  constexpr mode_t read_by_all = 0644;
  if (::fchmod(file.get(), read_by_all) != 0) throw_errno("setting the mode of " + temporary);
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw_errno("renaming it to " + path);
  removal.path = nullptr;
}

}  // namespace xdp_count
