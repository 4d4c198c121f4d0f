// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The programs that the counting is compared with on the receiving end of a
 * veth pair: one that does nothing, and the plain counters of a reader that
 * reads all of a map each second.
 */
#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

#include "packet_parsing.h"

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
} counts_per_cpu SEC(".maps");

SEC("xdp.frags")
int percpu_hash(struct xdp_md *ctx)
{
	__u64 bytes = bpf_xdp_get_buff_len(ctx);
	struct parsed_frame frame = parse_frame(ctx, bytes, true);
	__be32 source = frame.key.address.last;
	struct xc_counts *counts;

	if (frame.class != XC_CLASS_IPV4)
		return XDP_PASS;
	counts = bpf_map_lookup_elem(&counts_per_cpu, &source);
	if (counts) {
		counts->packets++;
		counts->bytes += bytes;
	} else {
		struct xc_counts first = { .packets = 1, .bytes = bytes };

		bpf_map_update_elem(&counts_per_cpu, &source, &first, BPF_NOEXIST);
	}
	return XDP_PASS;
}

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* set before load */
	__type(key, __be32);
	__type(value, struct xc_counts);
} counts_lru SEC(".maps");

SEC("xdp.frags")
int lru_hash(struct xdp_md *ctx)
{
	__u64 bytes = bpf_xdp_get_buff_len(ctx);
	struct parsed_frame frame = parse_frame(ctx, bytes, true);
	__be32 source = frame.key.address.last;
	struct xc_counts *counts;

	if (frame.class != XC_CLASS_IPV4)
		return XDP_PASS;
	counts = bpf_map_lookup_elem(&counts_lru, &source);
	if (counts) {
		__sync_fetch_and_add(&counts->packets, 1);
		__sync_fetch_and_add(&counts->bytes, bytes);
	} else {
		struct xc_counts first = { .packets = 1, .bytes = bytes };

		bpf_map_update_elem(&counts_lru, &source, &first, BPF_NOEXIST);
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
