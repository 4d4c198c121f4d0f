/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The program's maps, and what says how they are written.
 */
#ifndef XDP_COUNT_COUNT_MAPS_H
#define XDP_COUNT_COUNT_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

/*
 * What the agent sets for program runs, in place: this is mmap-ed memory. A run
 * reads active_generation once.
 */
volatile struct xc_control control;

/*
 * What the agent reads as memory: for each CPU and generation, number
 * CPU * XC_GENERATIONS + generation, a struct xc_cpu_counts with its hot tables
 * behind it. One map, so that a packet pays for one look-up. The agent sets
 * max_entries and value_size before load.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct xc_cpu_counts));
} cpu_counts SEC(".maps");

/* For each generation a struct xc_spill with its table behind it. The agent sets value_size. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XC_GENERATIONS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct xc_spill));
} spill SEC(".maps");

/* One value with all struct xc_tracked_group in it. The agent sets value_size. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct xc_tracked_group));
} tracked SEC(".maps");

/* The agent sets value_size. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XC_GENERATIONS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u64));
} filter SEC(".maps");

/*
 * One value with the tag of each candidate: the source that was refused a place
 * last of those that share the cell. The agent sets value_size.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(xc_tag));
} candidates SEC(".maps");

/* The cache lines that the bits of so many buckets take. */
static __always_inline __u64 in_use_lines(__u64 buckets)
{
	return (buckets + 8 * XC_BUCKET_BYTES - 1) / (8 * XC_BUCKET_BYTES);
}

#endif /* XDP_COUNT_COUNT_MAPS_H */
