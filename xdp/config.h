/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_COUNT_CONFIG_H
#define XDP_COUNT_CONFIG_H

#include <linux/bpf.h>

#include <xdp_count/shared_types.h>

/*
 * The agent sets it before load, so that the verifier takes it for constants
 * and removes the code that is not asked for. Nothing else is in .rodata, where
 * the next agent reads it when this one was killed.
 */
const volatile struct xc_config config = {
	.cpus = 1,
	.hot_shift = 63,
	.hash_multiplier = 1,
	.families = 1 << XC_FAMILY_IPV4 | 1 << XC_FAMILY_IPV6,
	.has_ethernet_header = 1,
	.verdict = XDP_PASS,
	.masks = { { 0, 0xffffffff }, { ~0ULL, ~0ULL } },
};

#endif /* XDP_COUNT_CONFIG_H */
