"""What people search, right-click and compare."""


def test_menus_lead_to_what_people_look_for(play):
    play("menus")
