// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

namespace xdp_count {

// Returns false where the terminal on standard output is known to have no cursor that can be moved,
// as TERM=dumb says: it shows lines, one after the other.
bool can_draw_screens();

// Returns false for a job in the background: the terminal is another program's, and the kernel
// would stop one that takes it.
bool is_in_foreground();

// Has output go on that is stopped, as by Ctrl-S.
void start_output();

// Whether people want colours where there are some.
bool wants_colours();

// Whether it shows UTF-8, as the locale says that was set by setlocale(3).
bool shows_utf8();

}  // namespace xdp_count
