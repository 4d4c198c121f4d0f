// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What counting a packet costs: the code that ships, beside the maps that other
 * counters use, behind the same parser. The source is drawn inside of the
 * program, since BPF_PROG_TEST_RUN repeats one frame.
 */
#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

#include "packet_parsing.h"
#include "record_packet.h"

#define DRAWS (1 << 20)

/* Sources in the order in which packets come; the benchmark fills it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, DRAWS);
	__type(key, __u32);
	__type(value, __be32);
} draws SEC(".maps");

/* The benchmark keeps it in step over all programs, so that each meets the same sources. */
__u32 position SEC(".data.bench") = 0;

#define YARDSTICK_MAP(name, map_type)                                                              \
	struct {                                                                                   \
		__uint(type, map_type);                                                            \
		__uint(max_entries, 1);                                                            \
		__type(key, __be32);                                                               \
		__type(value, struct xc_counts);                                                   \
	} name SEC(".maps")

YARDSTICK_MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH);
YARDSTICK_MAP(lru_percpu_hash, BPF_MAP_TYPE_LRU_PERCPU_HASH);
YARDSTICK_MAP(hash, BPF_MAP_TYPE_HASH);
YARDSTICK_MAP(lru_hash, BPF_MAP_TYPE_LRU_HASH);
YARDSTICK_MAP(lru_hash_of_16, BPF_MAP_TYPE_LRU_HASH);

/* What every program has in common. False: the verifier's cases, which cannot be. */
static __always_inline bool next_packet(struct xdp_md *ctx, struct parsed_frame *frame,
					__u64 *bytes)
{
	__u32 at = position++ & (DRAWS - 1);
	__be32 *source = bpf_map_lookup_elem(&draws, &at);

	*bytes = bpf_xdp_get_buff_len(ctx);
	*frame = parse_frame(ctx, *bytes, true);
	if (!source || frame->class != XC_CLASS_IPV4)
		return false;
	frame->source = *source;
	return true;
}

SEC("xdp.frags")
int empty(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

SEC("xdp.frags")
int parse_only(struct xdp_md *ctx)
{
	struct parsed_frame frame;
	__u64 bytes;

	/* The source is used, or the compiler would leave out how it is found. */
	if (next_packet(ctx, &frame, &bytes) && frame.source == bytes)
		return XDP_DROP;
	return XDP_PASS;
}

SEC("xdp.frags")
int ours(struct xdp_md *ctx)
{
	struct generation generation;
	struct parsed_frame frame;
	__u64 bytes;

	if (!next_packet(ctx, &frame, &bytes))
		return XDP_DROP;
	generation = open_active_generation();
	if (generation.counts)
		record_frame(&generation, &frame, bytes);
	if (generation.counts && config.sample_every && choose_frame(&generation.counts->sampling))
		sample_frame(ctx, generation.counts->events, bytes);
	return XDP_PASS;
}

static __always_inline int count_in_map(struct xdp_md *ctx, void *map, bool shared)
{
	struct xc_counts *counts;
	struct parsed_frame frame;
	__u64 bytes;

	if (!next_packet(ctx, &frame, &bytes))
		return XDP_DROP;
	counts = bpf_map_lookup_elem(map, &frame.source);
	if (!counts) {
		struct xc_counts first = { .packets = 1, .bytes = bytes };

		bpf_map_update_elem(map, &frame.source, &first, BPF_NOEXIST);
	} else if (shared) {
		__sync_fetch_and_add(&counts->packets, 1);
		__sync_fetch_and_add(&counts->bytes, bytes);
	} else {
		add_frame(counts, bytes);
	}
	return XDP_PASS;
}

#define YARDSTICK(name, shared)                                                                    \
	SEC("xdp.frags")                                                                           \
	int count_in_##name(struct xdp_md *ctx)                                                    \
	{                                                                                          \
		return count_in_map(ctx, &name, shared);                                           \
	}

YARDSTICK(percpu_hash, false)
YARDSTICK(lru_percpu_hash, false)
YARDSTICK(hash, true)
YARDSTICK(lru_hash, true)
YARDSTICK(lru_hash_of_16, true)

char _license[] SEC("license") = "Dual BSD/GPL";
