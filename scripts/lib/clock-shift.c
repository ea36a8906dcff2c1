/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For scripts/demo, by LD_PRELOAD: the wall clock of one process is off by
 * CLOCK_SHIFT seconds, as if somebody had set it. Other clocks are as they are.
 */

#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int
clock_gettime (clockid_t id, struct timespec *now)
{
  const char *shift = getenv ("CLOCK_SHIFT");
  int result = (int) syscall (SYS_clock_gettime, id, now);

  if (result == 0 && id == CLOCK_REALTIME && shift)
    now->tv_sec += atol (shift);
  return result;
}
