/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The whole of what is done with a frame, for the program that is attached and
 * for what measures it.
 */
#ifndef XDP_COUNT_COUNT_FRAME_H
#define XDP_COUNT_COUNT_FRAME_H

#include <linux/bpf.h>

#include <xdp_count/shared_types.h>

#include "config.h"
#include "events.h"
#include "frame_length.h"
#include "packet_parsing.h"
#include "record_packet.h"

/* Never changes the frame. What becomes of it: XDP_PASS or XDP_DROP. */
static __always_inline int count_frame(struct xdp_md *ctx)
{
	__u64 bytes = frame_length(ctx);
	struct parsed_frame frame = parse_frame(ctx, bytes, config.has_ethernet_header);
	struct generation generation = open_active_generation();

	/* This is always true: the index is within the array. The verifier needs the check. */
	if (generation.counts)
		record_frame(&generation, &frame, bytes);
	if (generation.counts && config.sample_every && choose_frame(&generation.counts->sampling))
		sample_frame(ctx, generation.counts->events, bytes);
	return config.verdict;
}

#endif /* XDP_COUNT_COUNT_FRAME_H */
