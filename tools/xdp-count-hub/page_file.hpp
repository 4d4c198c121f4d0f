// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The files of the page, which are a part of the program: embed_files.py makes the table of them.
#pragma once

#include <string_view>

namespace xdp_count {

struct PageFile {
  std::string_view path;  // "/page.js"
  std::string_view type;  // for Content-Type
  std::string_view content;
};

// Null where the page has no such file.
const PageFile* page_file(std::string_view path);

}  // namespace xdp_count
