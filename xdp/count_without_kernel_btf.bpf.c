// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The same program for kernels that do not describe their types and functions:
 * where a program names one of those, libbpf refuses it there.
 */
#define XC_WITHOUT_KERNEL_BTF
#include "count.bpf.c"
