"""BMP and TIFF files for the checks: those that Pillow writes, and kinds that it only reads."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, TiffImagePlugin


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def bmp(
    width,
    height,
    bits,
    rows,
    palette=b"",
    masks=(),
    header_bytes=40,
    top_down=False,
    compression=None,
):
    """`rows`: bytes of each row from the top, not padded. `masks`: red, green, blue (and alpha)."""
    if compression is None:
        compression = 3 if masks else 0
    packed_masks = struct.pack(f"<{len(masks)}I", *masks)
    if header_bytes == 12:
        header = struct.pack("<IHHHH", 12, width, height, 1, bits)
        entry = 3
    else:
        signed = -height if top_down else height
        header = struct.pack(
            "<IiiHHIIiiII",
            header_bytes,
            width,
            signed,
            1,
            bits,
            compression,
            0,
            2835,
            2835,
            len(palette) // 4,
            0,
        )
        header += packed_masks
        header += bytes(max(0, header_bytes - len(header)))
        entry = 4
    assert len(palette) % entry == 0
    padded = [row + bytes(-len(row) % 4) for row in (rows if top_down else rows[::-1])]
    pixels = b"".join(padded)
    offset = 14 + len(header) + len(palette)
    return (
        b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + header + palette + pixels
    )


def random_rows(width, height, bits, seed):
    rng = np.random.default_rng(seed)
    return [
        rng.integers(0, 256, (width * bits + 7) // 8, dtype=np.uint8).tobytes()
        for _ in range(height)
    ]


def random_palette(bits, entry, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, entry << bits, dtype=np.uint8).tobytes()


def bmps(picture):
    for size in [(97, 61), (1, 1), (3, 40)]:
        colour = Image.fromarray(picture(*size))
        yield f"bmp {size}", saved(colour, "BMP")
        yield f"bmp grey {size}", saved(colour.convert("L"), "BMP")
        yield f"bmp palette {size}", saved(colour.quantize(200), "BMP")
        yield f"bmp one bit {size}", saved(colour.convert("1"), "BMP")
        yield f"bmp rgba {size}", saved(Image.fromarray(picture(*size, 4), "RGBA"), "BMP")
    for width in [1, 2, 5, 33]:
        for top_down in [False, True]:
            name = f"{width} {'top down' if top_down else 'bottom up'}"
            for bits in [1, 4, 8]:
                palette = random_palette(bits, 4, bits)
                yield f"bmp palette {bits} bit {name}", bmp(
                    width, 7, bits, random_rows(width, 7, bits, width), palette, top_down=top_down
                )
            for bits in [16, 24, 32]:
                rows = random_rows(width, 7, bits, width)
                yield f"bmp {bits} bit {name}", bmp(width, 7, bits, rows, top_down=top_down)
                yield f"bmp {bits} bit header of 124 {name}", bmp(
                    width, 7, bits, rows, header_bytes=124, top_down=top_down
                )
        for bits in [1, 4, 8]:
            rows = random_rows(width, 7, bits, width)
            yield f"bmp core palette {bits} bit {width}", bmp(
                width, 7, bits, rows, random_palette(bits, 3, bits), header_bytes=12
            )
        yield f"bmp core 24 bit {width}", bmp(
            width, 7, 24, random_rows(width, 7, 24, width), header_bytes=12
        )
        for masks in [(0xF800, 0x07E0, 0x001F), (0x7C00, 0x03E0, 0x001F)]:
            yield f"bmp masks {masks} {width}", bmp(
                width, 7, 16, random_rows(width, 7, 16, width), masks=masks
            )
        rows = random_rows(width, 7, 32, width)
        for masks in [
            (0xFF0000, 0xFF00, 0xFF, 0),
            (0xFF000000, 0xFF0000, 0xFF00, 0),
            (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
            (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
        ]:
            yield f"bmp masks {masks} {width}", bmp(
                width, 7, 32, rows, masks=masks, header_bytes=108
            )
        yield f"bmp masks behind the header {width}", bmp(
            width, 7, 32, rows, masks=(0xFF0000, 0xFF00, 0xFF)
        )


SHORT, LONG = 3, 4


def tiff(tags, pieces, big_endian=False, tiled=False, pages=1):
    """Pages with these tags ({number: (type, values)}); `pieces`: strips or tiles as stored."""
    order = ">" if big_endian else "<"
    data = b""
    offsets = []
    for piece in pieces:
        offsets.append(8 + len(data))
        data += piece + bytes(len(piece) % 2)
    places, counts = (324, 325) if tiled else (273, 279)
    tags = {**tags, places: (LONG, offsets), counts: (LONG, [len(p) for p in pieces])}
    extra_at = 8 + len(data)
    extra, entries = b"", b""
    for number, (kind, values) in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}{'H' if kind == SHORT else 'I'}", *values)
        if len(packed) > 4:
            place = struct.pack(f"{order}I", extra_at + len(extra))
            extra += packed + bytes(len(packed) % 2)
        else:
            place = packed + bytes(4 - len(packed))
        entries += struct.pack(f"{order}HHI", number, kind, len(values)) + place
    directory = struct.pack(f"{order}H", len(tags)) + entries
    first = extra_at + len(extra)
    out = (b"MM" if big_endian else b"II") + struct.pack(f"{order}HI", 42, first) + data + extra
    for page in range(pages):
        after = len(out) + len(directory) + 4
        out += directory + struct.pack(f"{order}I", after if page + 1 < pages else 0)
    return out


def pieces_of(array, width, height):
    """Tiles of an [H, W, C] array, zero beyond the border; for width None: strips."""
    rows, columns, channels = array.shape
    if width is None:
        return [array[y : y + height].tobytes() for y in range(0, rows, height)]
    tiles = []
    for y in range(0, rows, height):
        for x in range(0, columns, width):
            tile = np.zeros((height, width, channels), np.uint8)
            part = array[y : y + height, x : x + width]
            tile[: part.shape[0], : part.shape[1]] = part
            tiles.append(tile.tobytes())
    return tiles


def plain_tiff(
    array,
    photometric,
    tile=None,
    rows=16,
    planes=False,
    deflate=False,
    extra=None,
    more=None,
    **options,
):
    height, width, channels = array.shape
    parts = [array[..., c : c + 1] for c in range(channels)] if planes else [array]
    pieces = [piece for part in parts for piece in pieces_of(part, tile, tile or rows)]
    tags = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [8] * channels),
        259: (SHORT, [8 if deflate else 1]),
        262: (SHORT, [photometric]),
        277: (SHORT, [channels]),
        284: (SHORT, [2 if planes else 1]),
    }
    tags.update({322: (LONG, [tile]), 323: (LONG, [tile])} if tile else {278: (LONG, [rows])})
    if extra is not None:
        tags[338] = (SHORT, [extra])
    tags.update(more or {})
    return tiff(
        tags,
        [zlib.compress(p) for p in pieces] if deflate else pieces,
        tiled=tile is not None,
        **options,
    )


def jpeg_tiff(array, tile, subsampling):
    """JPEG tiles of YCbCr colours, as GDAL writes them."""
    height, width, channels = array.shape
    pieces = []
    for piece in pieces_of(array, tile, tile):
        pixels = np.frombuffer(piece, np.uint8).reshape(tile, tile, channels)
        pieces.append(saved(Image.fromarray(pixels), "JPEG", subsampling=subsampling, quality=85))
    factor = {"4:4:4": [1, 1], "4:2:2": [2, 1], "4:2:0": [2, 2]}[subsampling]
    tags = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [8] * 3),
        259: (SHORT, [7]),
        262: (SHORT, [6]),
        277: (SHORT, [3]),
        284: (SHORT, [1]),
        322: (LONG, [tile]),
        323: (LONG, [tile]),
        530: (SHORT, factor),
    }
    return tiff(tags, pieces, tiled=True)


def tiffs(picture):
    for size in [(97, 61), (1, 1), (3, 40)]:
        colour = Image.fromarray(picture(*size))
        alpha = Image.fromarray(picture(*size, 4), "RGBA")
        for compression in ["raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"]:
            for image in [
                colour,
                alpha,
                colour.convert("L"),
                colour.quantize(200),
                Image.fromarray(picture(*size, 2), "LA"),
            ]:
                yield f"tiff {compression} {image.mode} {size}", saved(
                    image, "TIFF", compression=compression
                )
        yield f"tiff jpeg {size}", saved(colour, "TIFF", compression="jpeg", quality=80)
        yield f"tiff jpeg grey {size}", saved(
            colour.convert("L"), "TIFF", compression="jpeg", quality=80
        )
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[317] = 2  # differences between neighbours
        info[278] = 7  # rows per strip
        yield f"tiff predictor {size}", saved(colour, "TIFF", compression="tiff_lzw", tiffinfo=info)
    for size in [(97, 61), (40, 16), (5, 3)]:
        colour, alpha, grey = picture(*size), picture(*size, 4), picture(*size, 1)
        for tile in [None, 16, 64]:
            for big_endian in [False, True]:
                for deflate in [False, True]:
                    options = dict(tile=tile, big_endian=big_endian, deflate=deflate)
                    name = f"{size} {options}"
                    yield f"tiff rgb {name}", plain_tiff(colour, 2, **options)
                    yield f"tiff planes {name}", plain_tiff(colour, 2, planes=True, **options)
                    yield f"tiff grey {name}", plain_tiff(grey, 1, **options)
                    yield f"tiff white is zero {name}", plain_tiff(grey, 0, **options)
                    yield f"tiff alpha {name}", plain_tiff(alpha, 2, extra=2, **options)
                    yield f"tiff associated alpha {name}", plain_tiff(alpha, 2, extra=1, **options)
                    yield f"tiff unnamed fourth sample {name}", plain_tiff(
                        alpha, 2, extra=0, **options
                    )
        for subsampling in ["4:4:4", "4:2:2", "4:2:0"]:
            yield f"tiff jpeg tiles {subsampling} {size}", jpeg_tiff(colour, 32, subsampling)
