// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

namespace xdp_count {

// Returns false where the terminal on standard output is known to have no cursor that can be moved,
// as TERM=dumb says: it shows lines, one after the other.
bool can_draw_screens();

// Whether people want colours where there are some.
bool wants_colours();

// Whether it shows UTF-8, as the locale says that was set by setlocale(3).
bool shows_utf8();

}  // namespace xdp_count
