/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flags of a movie fragment's boxes (ISO/IEC 14496-12, 8.8). */

#pragma once

/* tfhd, 8.8.7.1 */
#define TFHD_BASE_DATA_OFFSET 0x000001
#define TFHD_DESCRIPTION_INDEX 0x000002
#define TFHD_DURATION 0x000008
#define TFHD_SIZE 0x000010
#define TFHD_FLAGS 0x000020
#define TFHD_BASE_IS_MOOF 0x020000

/* trun, 8.8.8.1 */
#define TRUN_DATA_OFFSET 0x000001
#define TRUN_FIRST_FLAGS 0x000004
#define TRUN_DURATION 0x000100
#define TRUN_SIZE 0x000200
#define TRUN_FLAGS 0x000400
#define TRUN_COMPOSITION 0x000800
