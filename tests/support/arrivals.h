/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_COUNT_ARRIVALS_H
#define XDP_COUNT_ARRIVALS_H

/* Frames of marked sources that are written down: 10,000 a second for a minute and a half. */
#define ARRIVALS_MOST_MARKED (1U << 20)

#endif /* XDP_COUNT_ARRIVALS_H */
