// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/gzip_text.hpp"

#include <array>
#include <new>

namespace xdp_count {

void GzipText::Ender::operator()(z_stream* stream) const {
  deflateEnd(stream);
  delete stream;
}

GzipText::GzipText() : stream_(new z_stream{}) {
  constexpr int window_bits = 15;
  constexpr int with_gzip_header = 16;
  constexpr int memory_level = 8;  // zlib's own default
  // Fast, since the lines are much alike: see docs/fleet.md.
  if (deflateInit2(stream_.get(), Z_BEST_SPEED, Z_DEFLATED, window_bits + with_gzip_header,
                   memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
}

void GzipText::append(std::string_view text) {
  length_ += text.size();
  compress(text, Z_NO_FLUSH);
}

void GzipText::finish() {
  compress({}, Z_FINISH);
}

void GzipText::compress(std::string_view text, int flush) {
  constexpr std::size_t piece = 16'384;
  std::array<char, piece> compressed{};
  // zlib does not write to what it reads from.
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream_->avail_in = static_cast<uInt>(text.size());
  do {
    stream_->next_out = reinterpret_cast<Bytef*>(compressed.data());
    stream_->avail_out = static_cast<uInt>(compressed.size());
    deflate(stream_.get(), flush);
    bytes_.append(compressed.data(), compressed.size() - stream_->avail_out);
  } while (stream_->avail_out == 0);
}

}  // namespace xdp_count
