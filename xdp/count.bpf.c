// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts every frame that comes to this interface in its class, and every IP packet
 * under its source. Never changes a frame.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "agent_maps.h"
#include "config.h"
#include "count_frame.h"

SEC("xdp.frags")
int xdp_count(struct xdp_md *ctx)
{
	int verdict = count_frame(ctx);

	hold_agent_maps(config.cpus);
	return verdict;
}

char _license[] SEC("license") = "Dual BSD/GPL";
