// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

namespace xdp_count {

// Whether a program that names types and functions of the kernel can be loaded, as the one does
// that sees by itself how many buffers a frame has. It takes the kernel's BTF, and a JIT compiler
// that can call kernel functions. Finds out by loading one, once.
bool programs_may_name_kernel();

}  // namespace xdp_count
