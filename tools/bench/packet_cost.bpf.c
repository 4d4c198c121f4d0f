// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whole programs, to be compared over an empty one: the one that ships, and the
 * smallest counters of each type of map. BPF_PROG_TEST_RUN repeats one frame, so
 * where there are many sources each program, the empty one too, begins with
 * drawing the frame's source.
 */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

#include "count_frame.h"

#define DRAWS (1 << 20)

/* Sources in the order in which packets come; the benchmark fills it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, DRAWS);
	__type(key, __u32);
	__type(value, __u64); /* a __be32; an array keeps each value in 8 bytes at least */
} draws SEC(".maps");

/* Set before load: the verifier removes the drawing where it is not wanted. */
const volatile __u32 draws_sources SEC(".rodata.bench") = 0;
const volatile __u32 draws_ipv6 SEC(".rodata.bench") = 0;

/* The benchmark keeps it in step over all programs, so that each meets the same sources. */
__u32 position SEC(".data.bench") = 0;

struct headers {
	struct ethhdr eth;
	struct iphdr ip;
} __attribute__((packed));

struct ipv6_headers {
	struct ethhdr eth;
	struct ipv6hdr ip;
} __attribute__((packed));

static __always_inline void draw_source(struct xdp_md *ctx)
{
	struct ipv6_headers *ipv6_headers;
	struct headers *headers;
	__u64 *source;
	__u32 at;

	if (!draws_sources)
		return;
	at = position++ & (DRAWS - 1);
	source = bpf_map_lookup_elem(&draws, &at);
	headers = (void *)(long)ctx->data;
	ipv6_headers = (void *)(long)ctx->data;
	if (!source)
		return;
	if (draws_ipv6 && (void *)(ipv6_headers + 1) <= (void *)(long)ctx->data_end)
		ipv6_headers->ip.saddr.in6_u.u6_addr32[3] = *source;
	else if (!draws_ipv6 && (void *)(headers + 1) <= (void *)(long)ctx->data_end)
		headers->ip.saddr = *source;
}

SEC("xdp.frags")
int empty(struct xdp_md *ctx)
{
	draw_source(ctx);
	return XDP_PASS;
}

SEC("xdp.frags")
int ours(struct xdp_md *ctx)
{
	draw_source(ctx);
	return count_frame(ctx);
}

static __always_inline void count_in_map(void *map, const void *source, __u64 bytes, bool shared)
{
	struct xc_counts *counts = bpf_map_lookup_elem(map, source);

	if (!counts) {
		struct xc_counts first = { .packets = 1, .bytes = bytes };

		bpf_map_update_elem(map, source, &first, BPF_NOEXIST);
	} else if (shared) {
		__sync_fetch_and_add(&counts->packets, 1);
		__sync_fetch_and_add(&counts->bytes, bytes);
	} else {
		counts->packets++;
		counts->bytes += bytes;
	}
}

/* The least that somebody would write who counts packets and bytes of each source. */
static __always_inline int smallest_counter(struct xdp_md *ctx, void *map, bool shared)
{
	void *data, *data_end;
	struct headers *headers;

	draw_source(ctx);
	data = (void *)(long)ctx->data;
	data_end = (void *)(long)ctx->data_end;
	headers = data;
	if ((void *)(headers + 1) <= data_end && headers->eth.h_proto == bpf_htons(ETH_P_IP))
		count_in_map(map, &headers->ip.saddr, data_end - data, shared);
	return XDP_PASS;
}

#define SMALLEST_COUNTER(name, map_type, shared)                                                   \
	struct {                                                                                   \
		__uint(type, map_type);                                                            \
		__uint(max_entries, DRAWS);                                                        \
		__type(key, __be32);                                                               \
		__type(value, struct xc_counts);                                                   \
	} name SEC(".maps");                                                                       \
                                                                                                   \
	SEC("xdp")                                                                                 \
	int count_in_##name(struct xdp_md *ctx)                                                    \
	{                                                                                          \
		return smallest_counter(ctx, &name, shared);                                       \
	}

SMALLEST_COUNTER(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, false)
SMALLEST_COUNTER(lru_percpu_hash, BPF_MAP_TYPE_LRU_PERCPU_HASH, false)
SMALLEST_COUNTER(hash, BPF_MAP_TYPE_HASH, true)
SMALLEST_COUNTER(lru_hash, BPF_MAP_TYPE_LRU_HASH, true)

/* The same for IPv6, with 16 bytes of key. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, DRAWS);
	__type(key, struct in6_addr);
	__type(value, struct xc_counts);
} percpu_hash_of_ipv6 SEC(".maps");

SEC("xdp")
int count_in_percpu_hash_of_ipv6(struct xdp_md *ctx)
{
	struct ipv6_headers *headers;
	void *data, *data_end;

	draw_source(ctx);
	data = (void *)(long)ctx->data;
	data_end = (void *)(long)ctx->data_end;
	headers = data;
	if ((void *)(headers + 1) <= data_end && headers->eth.h_proto == bpf_htons(ETH_P_IPV6))
		count_in_map(&percpu_hash_of_ipv6, &headers->ip.saddr, data_end - data, false);
	return XDP_PASS;
}

/* The example that comes with many libraries, as github.com/cilium/ebpf/examples/xdp. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16);
	__type(key, __be32);
	__type(value, __u32);
} lru_hash_of_16 SEC(".maps");

SEC("xdp")
int count_in_lru_hash_of_16(struct xdp_md *ctx)
{
	struct headers *headers;
	__be32 source;
	__u32 *packets;

	draw_source(ctx);
	headers = (void *)(long)ctx->data;
	if ((void *)(headers + 1) > (void *)(long)ctx->data_end ||
	    headers->eth.h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	source = headers->ip.saddr;
	packets = bpf_map_lookup_elem(&lru_hash_of_16, &source);
	if (packets) {
		__sync_fetch_and_add(packets, 1);
	} else {
		__u32 first = 1;

		bpf_map_update_elem(&lru_hash_of_16, &source, &first, BPF_ANY);
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
