// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Both ends of a veth pair under load: who sends, and whom the counting is
 * compared with on the receiving end.
 */
#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

#include "packet_parsing.h"

#define FIRST_SOURCE 0x0a000000 /* 10.0.0.0 */

/* Set before load. */
const volatile __u32 sender_ifindex = 0;

__u32 sources SEC(".data.live") = 1;
__u32 position SEC(".data.live") = 0;

/*
 * For BPF_F_TEST_XDP_LIVE_FRAMES, on one CPU at a time. The checksum stays that
 * of another source: the frames are for another host, and nobody looks at it.
 */
SEC("xdp")
int send_frame(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);

	if ((void *)(ip + 1) > data_end)
		return XDP_ABORTED;
	ip->saddr = bpf_htonl(FIRST_SOURCE + position++ % sources);
	return bpf_redirect(sender_ifindex, 0);
}

SEC("xdp.frags")
int empty(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1); /* set before load */
	__type(key, __be32);
	__type(value, struct xc_counts);
} counts_of_sources SEC(".maps");

SEC("xdp.frags")
int percpu_hash(struct xdp_md *ctx)
{
	__u64 bytes = bpf_xdp_get_buff_len(ctx);
	struct parsed_frame frame = parse_frame(ctx, bytes, true);
	struct xc_counts *counts;

	if (frame.class != XC_CLASS_IPV4)
		return XDP_PASS;
	counts = bpf_map_lookup_elem(&counts_of_sources, &frame.source);
	if (counts) {
		counts->packets++;
		counts->bytes += bytes;
	} else {
		struct xc_counts first = { .packets = 1, .bytes = bytes };

		bpf_map_update_elem(&counts_of_sources, &frame.source, &first, BPF_NOEXIST);
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
