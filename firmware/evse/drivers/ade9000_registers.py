# SPDX-License-Identifier: MIT
"""Registers of the ADE9000 that the driver uses. Source: ADE9000 data sheet, "Register Summary"; UG-1098.

0x480..0x4FE are 16 bits wide, the rest 32. Phases B and C follow A at the stride given.
"""

# Gains, phase A: xIGAIN, xVGAIN, xPGAIN
IGAIN = 0x000
VGAIN = 0x00B
PGAIN = 0x00E
GAIN_STRIDE = 0x20

# Signed 45-bit energy: the 32 upper bits, phase A
AWATTHR_HI = 0x2E7
ENERGY_STRIDE = 0x3C

VLEVEL = 0x40F
VLEVEL_FULL = 1144084  # recommended for inputs used up to full scale
APERIOD = 0x418  # BPERIOD and CPERIOD follow
PART_ID = 0x472
PART_ID_ADE9000_TOP = 0x10  # bit 20, seen in the second byte

RUN = 0x480
ANGL_VA_VB = 0x482  # time from the zero crossing of phase A's voltage to phase B's, counts of 1 / 1.024 MHz
ANGL_VA_VC = 0x484
ANGLE_HZ = 1024000
CONFIG1 = 0x481
CONFIG1_SWRST = 1 << 0
CONFIG1_BURST_EN = 1 << 11
ACCMODE = 0x492
ACCMODE_60_HZ = 1 << 8  # SELFREQ
ZX_LP_SEL = 0x49A
ZX_LP_PHASE_A = 0x0000
ZX_LP_COMBINED = 0x001E  # reset value
EP_CFG = 0x4B0
EP_CFG_EGY_PWR_EN = 1 << 0
EGY_TIME = 0x4B2
ENERGY_SAMPLES = 160  # the part adds to its energy registers every 20 ms
PGA_GAIN = 0x4B9
VERSION = 0x4FE

# Burst region organised by phase (0x680..): AWATT, AVA, AVAR, ... AIRMSONE, AVRMSONE; B and C follow at the stride.
BURST_FIRST = 0x684  # AWATT_2
BURST_LAST = 0x690  # AVRMSONE_2
BURST_WORDS = BURST_LAST - BURST_FIRST + 1
BURST_STRIDE = 0x13  # words
BURST_VAR = (0x686 - BURST_FIRST) * 4  # AVAR_2, bytes
BURST_IRMSONE = (0x68F - BURST_FIRST) * 4  # AIRMSONE_2; AVRMSONE_2 follows
