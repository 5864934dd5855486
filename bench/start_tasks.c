/* SPDX-License-Identifier: BSD-2-Clause */
/* start_tasks.c - the module that start.c runs: ten tasks that do nothing. */
#include <distributor/module.h>

DISTRIBUTOR_TASK(task_0) { return 0; }
DISTRIBUTOR_TASK(task_1) { return 0; }
DISTRIBUTOR_TASK(task_2) { return 0; }
DISTRIBUTOR_TASK(task_3) { return 0; }
DISTRIBUTOR_TASK(task_4) { return 0; }
DISTRIBUTOR_TASK(task_5) { return 0; }
DISTRIBUTOR_TASK(task_6) { return 0; }
DISTRIBUTOR_TASK(task_7) { return 0; }
DISTRIBUTOR_TASK(task_8) { return 0; }
DISTRIBUTOR_TASK(task_9) { return 0; }
