// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts every frame that comes to this interface in its class, and every IPv4
 * packet under its source. Never changes a frame.
 */
#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

#include "agent_maps.h"
#include "config.h"
#include "events.h"
#include "packet_parsing.h"
#include "record_packet.h"

SEC("xdp.frags")
int xdp_count(struct xdp_md *ctx)
{
	/* The length over all buffers of the frame; data_end - data is the first one alone. */
	__u64 bytes = bpf_xdp_get_buff_len(ctx);
	struct parsed_frame frame = parse_frame(ctx, bytes, config.has_ethernet_header);
	struct generation generation = open_active_generation();

	/* This is always true: the index is within the array. The verifier needs the check. */
	if (generation.counts)
		record_frame(&generation, &frame, bytes);
	if (generation.counts && config.sample_every && choose_frame(&generation.counts->sampling))
		sample_frame(ctx, generation.counts->events, bytes);
	hold_agent_maps(config.cpus);
	return config.verdict;
}

char _license[] SEC("license") = "Dual BSD/GPL";
