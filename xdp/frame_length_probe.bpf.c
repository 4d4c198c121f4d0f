// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where this loads, so does the program that sees by itself how many buffers a
 * frame has.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "frame_length.h"

SEC("xdp.frags")
int frame_length_probe(struct xdp_md *ctx)
{
	return frame_length(ctx);
}

char _license[] SEC("license") = "Dual BSD/GPL";
