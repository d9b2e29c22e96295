"""Pictures for notebooks: HTML that shows an index; it loads nothing from elsewhere."""

from indexer.notebook.case import export_case
from indexer.notebook.gallery_map import framed, gallery_map, map_page
from indexer.notebook.pictures import family_cards, hits_sheet, sheet

__all__ = [
    "export_case",
    "family_cards",
    "framed",
    "gallery_map",
    "hits_sheet",
    "map_page",
    "sheet",
]
