# SPDX-License-Identifier: MIT
"""A register file with the ADE9000's SPI protocol, by UG-1098, for tests of the driver on both VMs.

Names and addresses are the data sheet's, written down here a second time.
"""

ADDRESS = {
    "AWATTHR_HI": 0x2E7, "BWATTHR_HI": 0x323, "CWATTHR_HI": 0x35F, "VLEVEL": 0x40F, "APERIOD": 0x418,
    "BPERIOD": 0x419, "CPERIOD": 0x41A, "PART_ID": 0x472, "RUN": 0x480, "CONFIG1": 0x481, "ACCMODE": 0x492,
    "ZX_LP_SEL": 0x49A, "EP_CFG": 0x4B0, "EGY_TIME": 0x4B2, "PGA_GAIN": 0x4B9, "VERSION": 0x4FE,
    "AWATT_2": 0x684, "AVAR_2": 0x686, "AIRMSONE_2": 0x68F, "AVRMSONE_2": 0x690,
    "BWATT_2": 0x697, "BVAR_2": 0x699, "BIRMSONE_2": 0x6A2, "BVRMSONE_2": 0x6A3,
    "CWATT_2": 0x6AA, "CVAR_2": 0x6AC, "CIRMSONE_2": 0x6B5, "CVRMSONE_2": 0x6B6,
    "AVGAIN": 0x00B, "BVGAIN": 0x02B, "CIGAIN": 0x040,
}  # fmt: skip


def ccitt(data):
    """CRC-16-CCITT, bit by bit."""
    check = 0xFFFF
    for byte in data:
        check ^= byte << 8
        for _ in range(8):
            check = ((check << 1) ^ 0x1021) & 0xFFFF if check & 0x8000 else check << 1 & 0xFFFF
    return check


class Part:
    """The part and its chip select. `fault(received)` may spoil what the master gets; crc_in_burst: see driver."""

    def __init__(self, crc_in_burst=1):
        self.values = {}
        self.crc_in_burst = crc_in_burst
        self.fault = None
        self.transfers = 0
        self.reset()

    def reset(self):
        """Reset values."""
        self.values = {ADDRESS["PART_ID"]: 1 << 20, ADDRESS["VERSION"]: 0x00C0, ADDRESS["ZX_LP_SEL"]: 0x001E}

    def set(self, name, value):
        """Set a register by its data sheet name."""
        self.values[ADDRESS[name]] = value

    def get(self, name):
        """Return a register by its data sheet name."""
        return self.values.get(ADDRESS[name], 0)

    def cs(self, level):
        """Chip select pin; the transfers here are whole, so that the level only counts."""
        self.transfers += level

    def write_readinto(self, sent, received):
        """One transfer of whole bytes."""
        command = sent[0] << 8 | sent[1]
        address = command >> 4
        if command & 8:
            self._read(address, received)
        else:
            value = 0
            for byte in sent[2:]:
                value = value << 8 | byte
            self.values[address] = value
            if address == ADDRESS["CONFIG1"] and value & 1:
                self.reset()
        if self.fault:
            self.fault(received)

    def _read(self, address, received):
        bursting = self.get("CONFIG1") & 0x800
        burst = bursting and 0x500 <= address < 0x700
        width = 2 if 0x480 <= address < 0x500 else 4
        out = b""
        while len(out) < len(received) - 2:
            word = (self.values.get(address, 0) & ((1 << 8 * width) - 1)).to_bytes(width, "big")
            out += word
            if burst:
                address += 1
            elif self.crc_in_burst or not bursting:
                out += ccitt(word).to_bytes(2, "big")
        for i in range(len(received) - 2):
            received[2 + i] = out[i]
