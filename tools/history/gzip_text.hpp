// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <zlib.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace xdp_count {

// Text that is compressed as it comes, in the format of gzip (RFC 1952).
class GzipText {
 public:
  GzipText();

  void append(std::string_view text);

  // No more text comes.
  void finish();

  // What it is compressed, all of it after finish().
  const std::string& bytes() const { return bytes_; }

  // Bytes of text that came.
  std::size_t length() const { return length_; }

 private:
  struct Ender {
    void operator()(z_stream* stream) const;
  };

  void compress(std::string_view text, int flush);

  std::unique_ptr<z_stream, Ender> stream_;
  std::string bytes_;
  std::size_t length_ = 0;
};

}  // namespace xdp_count
